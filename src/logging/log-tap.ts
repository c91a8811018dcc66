import { logLevels, readLine, type LogLine } from './log-line.js';

/** What was logged since the last time. */
export interface TappedLines {
  /** In their order. */
  lines: LogLine[];
  /** Those that were left out. */
  left_out: number;
}

interface Kept {
  number: number;
  line: LogLine;
}

/**
 * A few of the lines that are logged, for those who store them once a second. Of ten thousand lines in a second nearly all are only counted;
 * warnings and errors go before the others.
 */
export class LogTap {
  /** Lines from one `take` to the next; 0: none. */
  limit = 100;
  /** Is called at the first line after a `take`. */
  onFirst: () => void = () => undefined;
  private severe: Kept[] = [];
  private others: Kept[] = [];
  private left = 0;
  private count = 0;

  get isEmpty(): boolean {
    return this.count === 0;
  }

  add(line: string, level: number): void {
    if (this.limit === 0) return;
    const kept = level >= logLevels.warn ? this.severe : this.others;
    const number = this.count++;
    if (kept.length < this.limit) kept.push({ number, line: readLine(line) });
    else this.left += 1;
    if (number === 0) this.onFirst();
  }

  take(): TappedLines {
    const { severe, others } = this;
    const room = Math.max(0, this.limit - severe.length);
    const chosen = [...severe, ...others.slice(0, room)].sort((a, b) => a.number - b.number);
    const left_out = this.left + Math.max(0, others.length - room);
    this.severe = [];
    this.others = [];
    this.left = this.count = 0;
    return { lines: chosen.map(({ line }) => line), left_out };
  }
}
