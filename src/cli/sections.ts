import type { Printer } from './print.js';
import { fieldList, filled, type Column } from './table.js';
import type { Item } from './text.js';

/** Of a list that is a part of something larger; JSON has all of it. */
const most = 10;

/** An answer of many parts for people: its own fields, then each part below its name, lists as tables. */
export function sections(print: Printer, item: Item, names: string[] = []): string[] {
  const entries = Object.entries(item);
  const own = entries.filter(([, value]) => !isItem(value) && !isList(value));
  const parts = entries.flatMap(([name, value]) => {
    const path = [...names, name];
    if (isItem(value)) return sections(print, value, path);
    return isList(value) ? titled(path, listOf(print, value)) : [];
  });
  const fields = fieldList(own.map(([name, value]) => [name, readable(name, value)]));
  return [...(names.length ? titled(names, fields) : fields), ...parts];
}

function titled(names: string[], lines: string[]): string[] {
  return lines.length ? ['', names.join(' ').replaceAll('_', ' ').toUpperCase(), ...lines.map((line) => `  ${line}`)] : [];
}

function listOf(print: Printer, items: Item[]): string[] {
  const names = [...new Set(items.flatMap((item) => Object.keys(item)))];
  const columns = names.map((name): Column => {
    const title = name.replaceAll('_', ' ');
    return name.endsWith('_bytes') ? { title, value: (item) => readable(name, item[name]), right: true } : name;
  });
  const shown = items.slice(0, most);
  const left = items.length - shown.length;
  return [...print.table(shown, filled(columns, shown, names.slice(0, 1)), 2), ...(left ? [`… ${left} more; --output json has all`] : [])];
}

function readable(name: string, value: unknown): unknown {
  return name.endsWith('_bytes') && typeof value === 'number' ? size(value) : value;
}

function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let left = bytes;
  for (; left >= 1_000 && unit < units.length - 1; unit++) left /= 1_000;
  return `${unit ? left.toPrecision(3) : left} ${units[unit]}`;
}

function isItem(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: unknown): value is Item[] {
  return Array.isArray(value) && value.length > 0 && value.every(isItem);
}
