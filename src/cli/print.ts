import { table, fieldList, type Column } from './table.js';
import { clip, printable, toJson, type Item } from './text.js';

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

  /** One of a stream: a line of text, or of JSON. `whole`: also where it takes more than one line of the terminal. */
  event(event: unknown, line: string, whole = false): void {
    const shown = this.stdout.isTTY && !whole ? clip(line, this.stdout.columns) : line;
    this.write(this.output === 'table' ? shown : toJson(event));
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
