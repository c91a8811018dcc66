import { readFileSync } from 'node:fs';
import { reasonOf, UsageError } from './failures.js';
import type { Item } from './text.js';

/*
 * How words become fields. Whether the server takes them is the server's to say.
 */

/** `key=value`, with a value that is JSON where it reads as JSON, and text otherwise. */
export function addField(text: string, before: Item = {}): Item {
  const [key, value] = pair(text);
  return { ...before, [key]: jsonOr(value) };
}

/** `key=value`, with text as it is. */
export function addLabel(text: string, before: Item = {}): Item {
  const [key, value] = pair(text);
  return { ...before, [key]: value };
}

export function addText(text: string, before: string[] = []): string[] {
  return [...before, text];
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`"${text}" must be key=value.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A number where it reads as one; the server tells people what it thinks of anything else. */
export function number(text: string): number | string {
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}

/** JSON: itself, `@file` or `@-` for stdin. */
export function json(text: string): unknown {
  const source = text.startsWith('@') ? read(text.slice(1)) : text;
  try {
    return JSON.parse(source) as unknown;
  } catch (error) {
    throw new UsageError(`${text.startsWith('@') ? text : 'The value'} is not JSON: ${reasonOf(error)}. Give JSON, @file or @- for stdin.`);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${reasonOf(error)}.`);
  }
}

/** Fields of an object that is given as a whole and in parts; the parts win. */
export function merged(whole: unknown, parts: Item | undefined): unknown {
  if (!parts) return whole;
  return typeof whole === 'object' && whole !== null && !Array.isArray(whole) ? { ...whole, ...parts } : parts;
}

/** A time, or how long ago it was: `15m`. */
export function timeOrAgo(text: string): string {
  return /^\d{1,9}[smhd]$/.test(text) ? new Date(Date.now() - duration(text) * 1_000).toISOString() : text;
}

const seconds = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** `90s`, `15m`, `2h`, `7d` in seconds. */
export function duration(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (!count) throw new UsageError(`"${text}" must be a number with s, m, h or d, such as 2h.`);
  return Number(count) * seconds[unit as keyof typeof seconds];
}

/** What `--wait` takes. */
export function waitSeconds(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`--wait must be a whole number of seconds from 1 on; it is "${text}".`);
}

/** `host=db-1`, `host!=db-1`, `host=~db-.*`, `host!~db-.*`. */
export function matcher(text: string): Item {
  const [, label, operator, value] = /^([^=!~]+)(=~|!~|!=|=)([^]*)$/.exec(text) ?? [];
  if (!label) throw new UsageError(`"${text}" must be label=value, or with !=, =~ or !~ between them.`);
  return { label: label.trim(), operator, value };
}
