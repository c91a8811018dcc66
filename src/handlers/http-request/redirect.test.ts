import { expect, test } from 'vitest';
import type { Method } from './parameters.js';
import { redirected, redirectTarget } from './redirect.js';

const target = new URL('https://a.example/next');

test.each([
  [301, 'POST', 'GET'],
  [302, 'POST', 'GET'],
  [303, 'POST', 'GET'],
  [303, 'PUT', 'GET'],
  [303, 'DELETE', 'GET'],
  [303, 'HEAD', 'HEAD'],
  [301, 'PUT', 'PUT'],
  [302, 'DELETE', 'DELETE'],
  [307, 'POST', 'POST'],
  [308, 'PATCH', 'PATCH'],
] satisfies [number, Method, Method][])('%i turns %s into %s', (status, method, expected) => {
  const headers = { 'content-type': 'text/plain', 'x-a': '1' };
  const next = redirected({ url: new URL('https://a.example/'), method, headers, body: 'x' }, status, target);
  expect(next.method).toBe(expected);
  expect(next.url).toBe(target);
  expect(next.body).toBe(expected === 'GET' ? undefined : 'x');
  // HEAD keeps what it had: nothing changed for it.
  expect(next.headers).toEqual(expected === 'GET' ? { 'x-a': '1' } : headers);
});

const secrets = {
  authorization: '1',
  cookie: '2',
  'x-api-key': '3',
  'x-auth-token': '4',
  'x-hub-signature-256': '5',
  'x-functions-key': '6',
};
const others = { accept: 'a', 'idempotency-key': 'k', 'user-agent': 'u' };

test.each(['https://b.example/', 'http://a.example/', 'https://a.example:444/'])(
  'credentials do not go from https://a.example to %s',
  (to) => {
    const request = { url: new URL('https://a.example/'), method: 'GET' as const, headers: { ...secrets, ...others } };
    expect(redirected(request, 302, new URL(to)).headers).toEqual(others);
  },
);

test('credentials stay within the origin', () => {
  const request = { url: new URL('https://a.example/'), method: 'GET' as const, headers: { ...secrets, ...others } };
  expect(redirected(request, 302, target).headers).toEqual({ ...secrets, ...others });
});

test.each([
  [302, '/x', '/x'],
  [302, undefined, undefined],
  [304, '/x', undefined],
  [300, '/x', undefined],
  [200, '/x', undefined],
])('status %i with location %j redirects to %j', (status, location, expected) => {
  expect(redirectTarget(status, location)).toBe(expected);
});
