import type { Printer } from './print.js';
import { fieldList, filled } from './table.js';
import type { Item } from './text.js';

/** An answer of many parts for people: its own fields, then each part below its name, lists as tables. */
export function sections(print: Printer, item: Item): string[] {
  const entries = Object.entries(item);
  const own = entries.filter(([, value]) => !isItem(value) && !isList(value));
  const parts = entries.flatMap(([name, value]) => {
    const lines = isList(value) ? listOf(print, value) : isItem(value) ? fieldList(Object.entries(value)) : undefined;
    return lines?.length ? [['', name.replaceAll('_', ' ').toUpperCase(), ...lines.map((line) => `  ${line}`)]] : [];
  });
  return [...fieldList(own), ...parts.flat()];
}

function listOf(print: Printer, items: Item[]): string[] {
  const names = [...new Set(items.flatMap((item) => Object.keys(item)))];
  return print.table(items, filled(names, items, names.slice(0, 1)), 2);
}

function isItem(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: unknown): value is Item[] {
  return Array.isArray(value) && value.length > 0 && value.every(isItem);
}
