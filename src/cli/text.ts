import stringWidth from 'string-width';

/** Objects of the API, whose fields are read by name. */
export type Item = Record<string, unknown>;

/**
 * Text of others, safe for a terminal: control characters (escape sequences among them) and those that turn the direction of
 * writing become spaces.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ');
}

export function toJson(value: unknown, indent?: number): string {
  return printableJson(JSON.stringify(value, undefined, indent));
}

/** The same JSON, safe to print, too: JSON itself escapes only what is below a space. */
export function printableJson(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const time = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?Z$/;

/** A value of the API for people, on one line. */
export function display(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  if (typeof value === 'string') return printable(value.replace(time, '$1 $2Z'));
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'object') return toJson(value);
  if (Array.isArray(value)) return isPlain(value) ? value.map(display).join(', ') || '-' : toJson(value);
  const entries = Object.entries(value);
  return isPlain(entries.map(([, each]) => each as unknown))
    ? entries.map(([k, v]) => printable(`${k}=${String(v)}`)).join(' ') || '-'
    : toJson(value);
}

function isPlain(values: unknown[]): boolean {
  return values.every((value) => typeof value === 'string');
}

export function widthOf(text: string): number {
  return stringWidth(text);
}

/** At most `width` columns of it. */
export function clip(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += widthOf(character);
    if (used > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Exactly `width` columns of it. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const clipped = clip(text, width);
  const space = ' '.repeat(Math.max(0, width - widthOf(clipped)));
  return align === 'left' ? clipped + space : space + clipped;
}

/** Conditions on labels, as they are written. */
export function matchersText(matchers: unknown): string {
  return ((matchers ?? []) as Item[])
    .map(({ label, operator, value }) => printable(`${String(label)}${String(operator)}${String(value)}`))
    .join(' ');
}
