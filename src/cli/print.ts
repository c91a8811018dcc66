import type { EventText } from './event-line.js';
import { table, fieldList, type Column } from './table.js';
import { clip, printable, toJson, widthOf, type Item } from './text.js';

export const outputs = ['table', 'json', 'ndjson'] as const;
export type Output = (typeof outputs)[number];

/** A page of a list. */
export interface Page {
  items: Item[];
  next_cursor?: string | number | null;
}

/** Where everything that is asked for goes: stdout in the wanted form; remarks go to stderr. */
export class Printer {
  constructor(
    readonly output: Output,
    private readonly stdout: NodeJS.WriteStream = process.stdout,
  ) {}

  /** One thing. */
  item(item: Item): void {
    this.value(item, () => fieldList(Object.entries(item)));
  }

  /** An answer that has a form of its own for people. */
  value(value: unknown, lines: () => string[]): void {
    if (this.output === 'table') this.lines(lines());
    else this.write(toJson(value, this.output === 'json' ? 2 : undefined));
  }

  page(page: Page, columns: readonly Column[]): void {
    if (this.output === 'json') return this.write(toJson(page, 2));
    if (this.output === 'ndjson') for (const item of page.items) this.write(toJson(item));
    else if (page.items.length) this.lines(this.table(page.items, columns));
    else this.remark('There are none.');
    // JSON has the cursor in it; without this line the others would look complete.
    if (page.next_cursor) this.remark(`There are more: --cursor ${page.next_cursor}, or --all.`);
  }

  /** `indent`: so much of the terminal is taken. */
  table(items: readonly Item[], columns: readonly Column[], indent = 0): string[] {
    return table(items, columns, this.stdout.isTTY ? this.stdout.columns - indent : undefined);
  }

  /** One of a stream: lines of JSON, or of text as it is. */
  event(event: unknown, line: string): void {
    this.write(this.output === 'table' ? line : toJson(event));
  }

  /** An event on one line of the terminal, and on a second one where what somebody has written does not fit. */
  happened(event: unknown, { line, text }: EventText): void {
    const { isTTY, columns } = this.stdout;
    const whole = text ? `${line}  ${text}` : line;
    const fits = !isTTY || widthOf(whole) <= columns;
    if (this.output !== 'table' || fits || !text) return this.event(event, isTTY ? clip(whole, columns) : whole);
    this.write(clip(line, columns));
    this.write(clip(`${' '.repeat(10)}${text}`, columns));
  }

  /** What was done where the server has nothing to answer. Programs have the exit code. */
  done(sentence: string): void {
    if (this.output === 'table') this.write(printable(sentence));
  }

  /** For people, beside the answer. */
  remark(sentence: string): void {
    process.stderr.write(`${printable(sentence)}\n`);
  }

  private lines(lines: string[]): void {
    for (const line of lines) this.write(line);
  }

  private write(line: string): void {
    this.stdout.write(`${line}\n`);
  }
}
