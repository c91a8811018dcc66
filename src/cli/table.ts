import { clip, display, fit, widthOf, type Item } from './text.js';

/** A column: the field of that name, or what `value` makes of the item. */
export type Column = string | { title: string; value: (item: Item) => unknown; right?: true };

const gap = '  ';
/** Narrower columns say nothing. */
const narrowest = 8;
/** Ids are there to be copied. */
const whole = /^[\w@:.-]+$/;

/**
 * Rows below their titles, without borders, so that other programs can cut them. Numbers stand to the right.
 * `width`: the columns with free text are shortened until it fits; undefined: nothing is shortened.
 */
export function table(items: readonly Item[], columns: readonly Column[], width?: number): string[] {
  const cells = columns.map((column) => items.map((item) => display(valueOf(column, item))));
  const titles = columns.map((column) => (typeof column === 'string' ? column.replaceAll('_', ' ') : column.title).toUpperCase());
  const widths = cells.map((column, index) => Math.max(widthOf(titles[index]!), ...column.map(widthOf)));
  if (width !== undefined) narrow(widths, cells, width);
  const right = columns.map((column) => (typeof column !== 'string' && column.right) || holdsNumbers(column, items));
  const line = (texts: string[]) =>
    texts
      .map((text, index) => fit(text, widths[index]!, right[index] ? 'right' : 'left'))
      .join(gap)
      .trimEnd();
  return [line(titles), ...items.map((_, row) => line(cells.map((column) => column[row]!)))];
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

/** Takes from the widest column that holds free text, as long as it must. */
function narrow(widths: number[], cells: string[][], width: number): void {
  const shrinkable = cells.map((column) => !column.every((cell) => whole.test(cell)));
  let excess = widths.reduce((sum, each) => sum + each + gap.length, -gap.length) - width;
  while (excess > 0) {
    const candidates = widths.map((each, index) => (shrinkable[index] && each > narrowest ? each : 0));
    const widest = candidates.indexOf(Math.max(...candidates));
    if (!candidates[widest]) return;
    widths[widest]!--;
    excess--;
  }
}
