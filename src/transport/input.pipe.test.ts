import { parse } from 'node:querystring';
import { IsOptional, IsString } from 'class-validator';
import { expect, test } from 'vitest';
import { InputPipe, parseId } from './input.pipe.js';

class Filters {
  @IsOptional()
  @IsString()
  name?: string;

  @IsOptional()
  labels?: unknown;
}

class NotADto {}

const pipe = new InputPipe();
const transform = (value: unknown, metatype: unknown = Filters, type: 'body' | 'query' | 'param' | 'custom' = 'body') =>
  pipe.transform(value, { type, metatype: metatype as never });

function fieldsOf(action: () => unknown): string[] {
  try {
    action();
  } catch (error) {
    return (error as { fields: { field: string }[] }).fields.map(({ field }) => field);
  }
  return [];
}

test('the plain value becomes an instance of its class', () => {
  const filters = transform({ name: 'a' });
  expect(filters).toBeInstanceOf(Filters);
  expect(filters).toEqual({ name: 'a' });
});

test('a missing value is one without fields', () => {
  expect(transform(undefined)).toBeInstanceOf(Filters);
});

test('a query string is checked as it is parsed, prototype keys included', () => {
  expect(transform(parse('name=a'), Filters, 'query')).toEqual({ name: 'a' });
  expect(fieldsOf(() => transform(parse('__proto__=a'), Filters, 'query'))).toEqual(['__proto__']);
  expect(fieldsOf(() => transform(parse('nam=a'), Filters, 'query'))).toEqual(['nam']);
  expect(fieldsOf(() => transform(parse('name=a&name=b'), Filters, 'query'))).toEqual(['name']);
});

test('arguments that are no DTO pass untouched', () => {
  const value = new NotADto();
  expect(transform(value, NotADto)).toBe(value);
  expect(transform('text', String, 'param')).toBe('text');
  expect(transform(value, Object)).toBe(value);
  const caller = { role: 'root' };
  expect(transform(caller, Filters, 'custom')).toBe(caller);
});

test.each(['{"labels":[{"constructor":{"prototype":1}}]}', '{"constructor":1}', '{"labels":{"__proto__":1}}'])(
  'a prototype key is refused wherever it is: %s',
  (json) => {
    expect(fieldsOf(() => transform(JSON.parse(json)))).toEqual([expect.stringMatching(/(constructor|__proto__)$/)]);
  },
);

test('a harmless key that class-transformer cannot copy is refused, naming the field it is in', () => {
  expect(fieldsOf(() => transform({ labels: { constructor: 'Mason' } }))).toEqual(['labels']);
});

test('names of inherited members are unknown fields', () => {
  expect(fieldsOf(() => transform({ toString: 1 }))).toEqual(['toString']);
  expect(fieldsOf(() => transform({ hasOwnProperty: 1 }))).toEqual(['hasOwnProperty']);
});

test('64 levels pass the pipe and 65 do not', () => {
  const nested = (levels: number): unknown => (levels === 1 ? {} : { labels: nested(levels - 1) });
  expect(fieldsOf(() => transform(nested(64)))).toEqual([]);
  expect(fieldsOf(() => transform(nested(65)))).toHaveLength(1);
});

test('a task id is a UUID of any case and is read in lower case', () => {
  expect(parseId('0198F3C2-7D1E-7A55-9B5E-3F0C8A1D2E4B', 'a task')).toBe('0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b');
  const id = '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b';
  for (const wrong of ['', '1', undefined, id.replaceAll('-', ''), `${id}\n`, `{${id}}`]) {
    expect(fieldsOf(() => parseId(wrong, 'a task'))).toEqual(['id']);
  }
});
