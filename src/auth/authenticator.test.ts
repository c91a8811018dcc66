import { createHash } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { CodedError } from '../errors/coded-error.js';
import { loadSettings } from '../settings.js';
import { Authenticator } from './authenticator.js';

const token = 'a-root-token-for-tests';

function authenticator(environment: NodeJS.ProcessEnv = {}) {
  return new Authenticator(loadSettings(environment, '/nonexistent').settings, { token });
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return error instanceof CodedError ? error.code : String(error);
  }
  return undefined;
}

test('the admin token is root, from the header and from a handshake', () => {
  const root = { tenant_id: 'default', role: 'root', name: 'root' };
  expect(authenticator().authenticate({ authorization: `Bearer ${token}` })).toEqual(root);
  expect(authenticator().authenticate({ authorization: `bearer  ${token}` })).toEqual(root);
  expect(authenticator().authenticate({}, token)).toEqual(root);
});

test('of several tokens each holds until its end, and whom one has let in does not outlive it', () => {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  const tested = authenticator();
  const before = tested.authenticate({}, token)!;
  expect(tested.isStillValid(before)).toBe(true);
  const told = vi.fn();
  tested.onEnded.add(told);
  tested.use([
    { digest: hash(token), endsAt: performance.now() - 1 },
    { digest: hash('the-next-token-for-tests'), endsAt: Infinity },
    { digest: hash('one-for-a-while-for-tests'), endsAt: performance.now() + 60_000 },
  ]);
  expect(told).toHaveBeenCalledOnce();
  expect(codeOf(() => tested.authenticate({}, token))).toBe('UNAUTHENTICATED');
  expect(tested.isStillValid(before)).toBe(false);
  for (const other of ['the-next-token-for-tests', 'one-for-a-while-for-tests']) {
    expect(tested.isStillValid(tested.authenticate({}, other)!)).toBe(true);
  }
  // Who came without a token has none that could end.
  expect(tested.isStillValid(tested.authenticate({ host: 'localhost' })!)).toBe(true);
});

test('the token of the handshake goes before the header', () => {
  expect(codeOf(() => authenticator().authenticate({ authorization: `Bearer ${token}` }, 'wrong'))).toBe('UNAUTHENTICATED');
  expect(authenticator().authenticate({ authorization: 'Bearer wrong' }, token)?.role).toBe('root');
});

test.each(['Bearer wrong', `Bearer ${token}x`, 'Bearer', '', `Basic ${token}`, token, `Bearer ${token} x`, 'Bearer \u00e9'])(
  'the header "%s" is refused although the caller would be let in without it',
  (authorization) => {
    expect(codeOf(() => authenticator().authenticate({ host: 'localhost', authorization }))).toBe('UNAUTHENTICATED');
  },
);

test.each(['localhost', 'localhost:8000', 'LOCALHOST:8000', '127.0.0.1:8000', '127.1.2.3', '[::1]:8000', '[::1]'])(
  'a caller without a token who names the host %s is the operator',
  (host) => {
    expect(authenticator().authenticate({ host })).toEqual({ tenant_id: 'default', role: 'operator', name: 'anonymous' });
  },
);

test.each([
  'example.com',
  'localhost.example.com',
  '127.0.0.1.example.com',
  'example.com:8000',
  '10.0.0.1',
  '::1',
  '[::2]',
  'localhost@example.com',
  'localhost:8000/',
  '',
  undefined,
])('a caller without a token who names the host %s is nobody', (host) => {
  expect(authenticator().authenticate({ host })).toBeUndefined();
});

test('a page of another site is nobody; one of this server or of CORS_ORIGINS is the operator', () => {
  const local = authenticator({ CORS_ORIGINS: 'https://app.example.com' });
  const host = 'localhost:8000';
  expect(local.authenticate({ host, origin: 'http://localhost:8000' })?.role).toBe('operator');
  expect(local.authenticate({ host, origin: 'https://app.example.com' })?.role).toBe('operator');
  for (const origin of ['http://localhost:8001', 'https://evil.example.com', 'null', 'http://127.0.0.1:8000', '']) {
    expect(local.authenticate({ host, origin }), origin).toBeUndefined();
  }
});

test.each(['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'])(
  'a caller behind a proxy that adds %s is nobody',
  (header) => {
    expect(authenticator().authenticate({ host: 'localhost', [header]: '203.0.113.9' })).toBeUndefined();
  },
);

test('a server that others can reach knows no anonymous callers', () => {
  for (const HOST of ['0.0.0.0', '::', '192.0.2.1', 'example.com']) {
    expect(authenticator({ HOST }).authenticate({ host: 'localhost' }), HOST).toBeUndefined();
  }
});

test('AUTH_ANONYMOUS_ROLE decides wherever the caller comes from', () => {
  const headers = { host: 'example.com' };
  expect(authenticator({ HOST: '0.0.0.0', AUTH_ANONYMOUS_ROLE: 'viewer' }).authenticate(headers)?.role).toBe('viewer');
  expect(authenticator({ AUTH_ANONYMOUS_ROLE: 'none' }).authenticate({ host: 'localhost' })).toBeUndefined();
});
