import { constants } from 'node:os';
import { stripVTControlCharacters } from 'node:util';
import { clip } from '../text.js';
import type { Size } from './frame.js';

const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';
const home = '\u001b[H';
const endOfLine = '\u001b[K';
const restOfScreen = '\u001b[J';

/** The terminal while it shows pictures: another screen without a cursor, keys one by one. What it was before comes back whatever happens. */
export class Screen {
  private readonly signals = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => ({ signal, react: () => this.end(signal) }));
  private readonly ended = Promise.withResolvers<number>();
  private open = false;

  constructor(private readonly redraw: () => void) {}

  /** The exit code, when somebody has had enough. */
  get left(): Promise<number> {
    return this.ended.promise;
  }

  show(): void {
    this.open = true;
    process.stdout.write(enter);
    process.stdout.on('resize', this.redraw);
    // Errors that nobody catches end the process as well.
    process.on('exit', this.restore);
    for (const { signal, react } of this.signals) process.on(signal, react);
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(true).setEncoding('utf8').on('data', this.key);
  }

  draw(lines: string[]): void {
    if (!this.open) return;
    const { width } = this.size();
    const text = lines.map((line) => (stripVTControlCharacters(line).length > width ? clip(stripVTControlCharacters(line), width) : line));
    process.stdout.write(`${home}${text.map((line) => line + endOfLine).join('\r\n')}${restOfScreen}`);
  }

  size(): Size {
    return { width: process.stdout.columns || 80, height: process.stdout.rows || 24 };
  }

  readonly restore = (): void => {
    if (!this.open) return;
    this.open = false;
    process.stdout.write(leave);
    process.stdout.off('resize', this.redraw);
    process.off('exit', this.restore);
    for (const { signal, react } of this.signals) process.off(signal, react);
    if (!process.stdin.isTTY) return;
    process.stdin.off('data', this.key).setRawMode(false).pause();
  };

  /** Ctrl-C and Ctrl-D are keys in this mode. */
  private readonly key = (typed: string): void => {
    if (['q', 'Q', '\u0003', '\u0004', '\u001b'].includes(typed)) this.end();
  };

  private end(signal?: NodeJS.Signals): void {
    this.restore();
    this.ended.resolve(signal ? 128 + constants.signals[signal] : 0);
  }
}
