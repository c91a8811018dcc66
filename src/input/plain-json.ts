import type { FieldError } from '../errors/coded-error.js';

export interface PlainJsonLimits {
  maxBytes: number;
  /** Nesting of objects and arrays; `{}` is 1 deep. */
  maxDepth: number;
}

/** Limits of the result of any task. As deep as parameters: gRPC's libraries read no more than a hundred messages in each other, three a level. */
export const resultLimits: PlainJsonLimits = { maxBytes: 1024 * 1024, maxDepth: 32 };

/**
 * What is wrong with free JSON (`parameters`, results), or nothing. Refused are prototype keys, NUL and unpaired
 * surrogates (PostgreSQL's jsonb takes neither), numbers that are not finite, and whatever passes the limits.
 */
export function plainJsonError(value: unknown, field: string, limits: PlainJsonLimits): FieldError | undefined {
  const error = walk(value, field, limits.maxDepth);
  if (error) return error;
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? '');
  return bytes > limits.maxBytes ? { field, message: `is ${bytes} bytes of JSON; at most ${limits.maxBytes} are accepted` } : undefined;
}

function walk(value: unknown, field: string, depthLeft: number): FieldError | undefined {
  switch (typeof value) {
    case 'string':
      return isStorable(value) ? undefined : { field, message: 'must not hold NUL characters or unpaired surrogates' };
    case 'number':
      return Number.isFinite(value) ? undefined : { field, message: 'must be a finite number' };
    case 'boolean':
      return undefined;
    case 'object':
      return value === null ? undefined : walkObject(value, field, depthLeft);
    default:
      return { field, message: 'must be plain JSON' };
  }
}

function walkObject(value: object, field: string, depthLeft: number): FieldError | undefined {
  if (depthLeft === 0) return { field: field.slice(0, 200), message: 'is nested too deeply; at most 32 levels are accepted' };
  for (const [key, child] of Object.entries(value)) {
    const path = Array.isArray(value) ? `${field}[${key}]` : `${field}.${key}`;
    if (isPrototypeKey(key, child)) return { field: path, message: 'is a prototype key, which is never accepted' };
    if (!isStorable(key)) return { field, message: 'must not hold NUL characters or unpaired surrogates in its keys' };
    const error = walk(child, path, depthLeft - 1);
    if (error) return error;
  }
  return undefined;
}

export function isPrototypeKey(key: string, value: unknown): boolean {
  if (key === '__proto__') return true;
  return key === 'constructor' && typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');
}

/** Text that is for people: PostgreSQL takes neither NUL nor unpaired surrogates, and a message must not fail for that. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u{fffd}');
}

function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
