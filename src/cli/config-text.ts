import { UsageError } from './failures.js';
import { printable, toJson, type Item } from './text.js';

/** The value of a setting as `.env` would have it; an empty one can be seen. */
export function settingText(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (value === '' || (Array.isArray(value) && value.length === 0)) return '(empty)';
  if (Array.isArray(value)) return printable(value.map(String).join(','));
  return typeof value === 'string' ? printable(value) : toJson(value);
}

/** What a version does to a setting. */
export function changeText({ key, to }: Item): string {
  return to === null ? `${String(key)} unset` : `${String(key)}=${settingText(to)}`;
}

/** The keys that were asked for; a setting that there is not is wrong usage, as the server is not asked for it. */
export function knownKeys(asked: string[], known: string[]): string[] {
  const unknown = asked.find((key) => !known.includes(key));
  if (unknown === undefined) return asked;
  throw new UsageError(`There is no setting "${unknown}". "config schema" lists all.`);
}
