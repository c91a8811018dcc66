import { expect, test } from 'vitest';
import { checkParameters, readParameters } from '../handlers.js';
import { httpRequest } from './http-request.js';

const handler = httpRequest({ allowHosts: [] });
const url = 'https://example.com/';

test('a URL is enough; the rest has defaults', () => {
  expect(readParameters(handler, { url })).toEqual({
    url,
    method: 'GET',
    headers: {},
    timeout_seconds: 30,
    max_response_bytes: 1024 * 1024,
    success_statuses: ['2xx'],
    follow_redirects: 5,
    response_headers: ['content-type', 'content-encoding', 'content-length', 'etag', 'last-modified', 'location', 'retry-after'],
  });
});

test.each([
  { method: 'POST', body: 'text' },
  { method: 'PUT', body: { a: [1] } },
  { method: 'DELETE', body: [1, 2] },
  { headers: { Authorization: 'Bearer x', 'x-y': 'caf\u00e9\t1' } },
  { success_statuses: ['2xx', '3xx', 404], follow_redirects: 0 },
  { timeout_seconds: 1.5, max_response_bytes: 0, response_headers: [] },
])('%j is accepted', (more) => {
  expect(checkParameters(handler, { url, ...more }).errors).toEqual([]);
  expect(readParameters(handler, { url, ...more })).toMatchObject(more);
});

const badUrl = 'must be an http:// or https:// URL of at most 8192 characters';
const noUserinfo = 'must not hold a user name or password; send an authorization header instead';
const statuses = 'must hold statuses from 100 to 599 and classes such as "2xx"';

test.each([
  [{ url: null }, 'url', badUrl],
  [{ url: 7 }, 'url', badUrl],
  [{ url: '' }, 'url', badUrl],
  [{ url: 'example.com' }, 'url', badUrl],
  [{ url: 'ftp://example.com' }, 'url', badUrl],
  [{ url: 'gopher://example.com' }, 'url', badUrl],
  [{ url: 'file:///etc/passwd' }, 'url', badUrl],
  [{ url: 'javascript:alert(1)' }, 'url', badUrl],
  [{ url: 'http://' }, 'url', badUrl],
  [{ url: 'http://999.1.1.1/' }, 'url', badUrl],
  [{ url: `https://example.com/${'x'.repeat(8192)}` }, 'url', badUrl],
  [{ url: 'http://user@example.com' }, 'url', noUserinfo],
  [{ url: 'http://:secret@example.com' }, 'url', noUserinfo],
  [{ url: 'http://example.com@127.0.0.1/' }, 'url', noUserinfo],
  [{ method: 'get' }, 'method', 'must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'],
  [{ method: 'CONNECT' }, 'method', 'must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'],
  [{ method: null }, 'method', 'must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'],
  [{ headers: null }, 'headers', 'must be an object of names and texts'],
  [{ headers: ['a'] }, 'headers', 'must be an object of names and texts'],
  [{ headers: { a: 1 } }, 'headers', 'must give "a" as one line of Latin-1 text'],
  [{ headers: { a: 'x\r\nhost: evil' } }, 'headers', 'must give "a" as one line of Latin-1 text'],
  [{ headers: { a: 'x\nb' } }, 'headers', 'must give "a" as one line of Latin-1 text'],
  [{ headers: { a: '\u0100' } }, 'headers', 'must give "a" as one line of Latin-1 text'],
  [{ headers: { 'a\r\nb': 'x' } }, 'headers', 'must not hold the name "a\\r\\nb", which is not a header name'],
  [{ headers: { 'a b': 'x' } }, 'headers', 'must not hold the name "a b", which is not a header name'],
  [{ headers: { '': 'x' } }, 'headers', 'must not hold the name "", which is not a header name'],
  [{ headers: { Host: 'evil' } }, 'headers', 'must not hold "Host", which the server sets by itself'],
  [{ headers: { 'TRANSFER-ENCODING': 'chunked' } }, 'headers', 'must not hold "TRANSFER-ENCODING", which the server sets by itself'],
  [{ headers: { 'content-length': '5' } }, 'headers', 'must not hold "content-length", which the server sets by itself'],
  [{ headers: { connection: 'close' } }, 'headers', 'must not hold "connection", which the server sets by itself'],
  [{ headers: { accept: 'a', Accept: 'b' } }, 'headers', 'must not hold "Accept" twice'],
  [{ headers: { a: 'x'.repeat(16 * 1024) } }, 'headers', 'must not be longer than 16384 characters in all'],
  [{ method: 'POST', body: 7 }, 'body', 'must be text, a JSON object or a JSON list'],
  [{ method: 'POST', body: null }, 'body', 'must be text, a JSON object or a JSON list'],
  [{ body: 'x' }, 'body', 'cannot be sent with GET; choose another method or leave it out'],
  [{ method: 'HEAD', body: '' }, 'body', 'cannot be sent with HEAD; choose another method or leave it out'],
  [{ timeout_seconds: 0.5 }, 'timeout_seconds', 'must not be less than 1'],
  [{ timeout_seconds: 301 }, 'timeout_seconds', 'must not be greater than 300'],
  [{ timeout_seconds: '30' }, 'timeout_seconds', 'must be a number of seconds from 1 to 300'],
  [{ max_response_bytes: 1.5 }, 'max_response_bytes', 'must be a whole number of bytes'],
  [{ max_response_bytes: 8 * 1024 * 1024 + 1 }, 'max_response_bytes', 'must not be greater than 8388608'],
  [{ success_statuses: [] }, 'success_statuses', 'must name at least one status'],
  [{ success_statuses: '2xx' }, 'success_statuses', 'must be a list'],
  [{ success_statuses: ['6xx'] }, 'success_statuses', statuses],
  [{ success_statuses: ['200'] }, 'success_statuses', statuses],
  [{ success_statuses: [99] }, 'success_statuses', statuses],
  [{ follow_redirects: 11 }, 'follow_redirects', 'must not be greater than 10'],
  [{ follow_redirects: -1 }, 'follow_redirects', 'must not be less than 0'],
  [{ response_headers: 'etag' }, 'response_headers', 'must be a list'],
  [{ response_headers: ['a b'] }, 'response_headers', 'must hold header names only'],
])('%j is refused by field', (more, field, message) => {
  expect(checkParameters(handler, { url, ...more }).errors).toEqual([{ field: `parameters.${field}`, message }]);
});

test('an unknown field is refused with the known ones', () => {
  const [error] = checkParameters(handler, { url, verb: 'GET' }).errors;
  expect(error?.message).toMatch(/^is not a known field; accepted are .*method/);
});

test('a missing URL is named', () => {
  expect(checkParameters(handler, {}).errors).toEqual([{ field: 'parameters.url', message: badUrl }]);
});
