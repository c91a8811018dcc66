import { clip, display, fit, widthOf, type Item } from './text.js';

/** A column: the field of that name, or what `value` makes of the item. */
export type Column = string | { title: string; value: (item: Item) => unknown; right?: true };

const gap = '  ';
/** Narrower columns of free text say nothing. */
const narrowest = 12;
/** Ids, keys and states are there to be copied. */
const whole = /^[\w@:.-]+$/;
/** Names that may be cut all the same: of what has an id beside it, or is known at sight. */
const cuttable = (title: string, index: number) => ['TYPE', 'QUEUE'].includes(title) || (title === 'NAME' && index > 0);
const time = /^\d{4}-(\d\d-\d\d \d\d:\d\d:\d\d)Z$/;
const shortTime = /^\d\d-\d\d \d\d:\d\d:\d\d$/;

interface Rows {
  titles: string[];
  /** By columns. */
  cells: string[][];
  right: boolean[];
}

/**
 * Rows below their titles, without borders, so that other programs can cut them. Numbers stand to the right.
 * `width`: of the terminal; what does not fit is shortened (times by their year, free text), then the last columns are left out.
 * Undefined: everything is there.
 */
export function table(items: readonly Item[], columns: readonly Column[], width?: number): string[] {
  const rows: Rows = {
    titles: columns.map((column) => (typeof column === 'string' ? column.replaceAll('_', ' ') : column.title).toUpperCase()),
    cells: columns.map((column) => items.map((item) => display(valueOf(column, item)))),
    right: columns.map((column) => (typeof column !== 'string' && column.right) || holdsNumbers(column, items)),
  };
  const widths = width === undefined ? widthsOf(rows) : fitted(rows, width);
  const line = (texts: string[]) =>
    widths
      .map((each, index) => fit(texts[index]!, each, rows.right[index] ? 'right' : 'left'))
      .join(gap)
      .trimEnd();
  return [line(rows.titles), ...items.map((_, row) => line(rows.cells.map((column) => column[row]!)))];
}

/** Fields below each other. */
export function fieldList(entries: readonly (readonly [string, unknown])[], width?: number): string[] {
  const names = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => {
    const line = `${name.padEnd(names)}${gap}${display(value)}`;
    return width === undefined ? line : clip(line, width);
  });
}

/** The columns in which some item has something to say, and those that are `always` there. */
export function filled(columns: readonly Column[], items: readonly Item[], always: readonly string[]): Column[] {
  return columns.filter(
    (column) =>
      always.includes(typeof column === 'string' ? column : column.title) || items.some((item) => display(valueOf(column, item)) !== '-'),
  );
}

function valueOf(column: Column, item: Item): unknown {
  return typeof column === 'string' ? item[column] : column.value(item);
}

function holdsNumbers(column: Column, items: readonly Item[]): boolean {
  const values = items.map((item) => valueOf(column, item)).filter((value) => value !== null && value !== undefined);
  return values.length > 0 && values.every((value) => typeof value === 'number');
}

function widthsOf({ titles, cells }: Rows): number[] {
  return cells.map((column, index) => Math.max(widthOf(titles[index]!), ...column.map(widthOf)));
}

const sum = (widths: number[]) => widths.reduce((total, each) => total + each + gap.length, -gap.length);

/** The widths of the columns that have room. The first one always is there. */
function fitted(rows: Rows, width: number): number[] {
  if (sum(widthsOf(rows)) > width) rows.cells = rows.cells.map((column) => column.map((cell) => cell.replace(time, '$1')));
  const widths = widthsOf(rows);
  const least = widths.map((each, index) => (isCuttable(rows, index) ? Math.min(each, narrowest) : each));
  while (widths.length > 1 && sum(least.slice(0, widths.length)) > width) widths.pop();
  for (let excess = sum(widths) - width; excess > 0; excess--) {
    const spare = widths.map((each, index) => (each > least[index]! ? each : 0));
    const widest = spare.indexOf(Math.max(...spare));
    if (!spare[widest]) break;
    widths[widest]!--;
  }
  return widths;
}

function isCuttable({ titles, cells }: Rows, index: number): boolean {
  const texts = cells[index]!.filter((cell) => cell !== '-' && !shortTime.test(cell));
  return cuttable(titles[index]!, index) || !texts.every((cell) => whole.test(cell));
}
