import { expect, test } from 'vitest';
import { isSuccess, toResult } from './response.js';

const url = new URL('https://example.com/');

function bodyOf(body: string | Buffer, headers: Record<string, string> = {}) {
  return toResult({ url, status: 200, headers, body: Buffer.from(body as string) }, []).body;
}

const json = { 'content-type': 'application/json; charset=utf-8' };

test.each([
  ['JSON', '{"a":[1]}', json, { a: [1] }],
  ['JSON of a vendor', '[1]', { 'content-type': 'application/problem+json' }, [1]],
  ['JSON text of another type', '{"a":1}', { 'content-type': 'text/plain' }, '{"a":1}'],
  ['JSON that does not parse', '{"a":', json, '{"a":'],
  ['JSON with an escaped NUL', '{"a":"\\u0000"}', json, '{"a":"\\u0000"}'],
  ['JSON with an unpaired surrogate', '{"a":"\\ud800"}', json, '{"a":"\\ud800"}'],
  ['JSON with a prototype key', '{"__proto__":{"x":1}}', json, '{"__proto__":{"x":1}}'],
  ['JSON with an infinite number', '[1e999]', json, '[1e999]'],
  ['JSON null', 'null', json, null],
  ['text', 'caf\u00e9', {}, 'caf\u00e9'],
  ['nothing', '', json, null],
])('%s', (_, body, headers, expected) => {
  expect(bodyOf(body, headers as Record<string, string>)).toEqual(expected);
});

test('JSON nested too deeply to be stored is given as text', () => {
  const text = `${'['.repeat(40)}${']'.repeat(40)}`;
  expect(bodyOf(text, json)).toBe(text);
});

test.each([
  ['bytes that are not UTF-8', Buffer.from([0xff, 0xfe, 0x00]), {}],
  ['text with a NUL', Buffer.from('a\0b'), {}],
  ['a compressed body', Buffer.from('plain'), { 'content-encoding': 'gzip' }],
])('%s come as base64', (_, body, headers) => {
  expect(bodyOf(body, headers as Record<string, string>)).toEqual({ base64: body.toString('base64') });
});

test('a result of more than 1 MiB of JSON is refused', () => {
  const fits = 'x'.repeat(1024 * 1024 - JSON.stringify({ status: 200, headers: {}, body: '' }).length);
  expect(bodyOf(fits)).toBe(fits);
  expect(() => bodyOf(`${fits}x`)).toThrow(expect.objectContaining({ code: 'RESPONSE_TOO_LARGE', options: { retryable: false } }));
});

test('only the wanted headers are kept, whatever their case', () => {
  const headers = { etag: '"1"', 'set-cookie': ['a=1', 'b=2'], server: 'x' };
  const result = toResult({ url, status: 200, headers, body: Buffer.alloc(0) }, ['ETag', 'set-cookie', 'toString', 'missing']);
  expect(result.headers).toEqual({ etag: '"1"', 'set-cookie': 'a=1, b=2' });
});

test.each([
  [200, ['2xx'], true],
  [299, ['2xx'], true],
  [300, ['2xx'], false],
  [404, ['2xx', 404], true],
  [405, ['2xx', 404], false],
])('status %i among %j: %j', (status, patterns, expected) => {
  expect(isSuccess(status, patterns)).toBe(expected);
});
