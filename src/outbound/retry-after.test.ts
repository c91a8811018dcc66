import { expect, test } from 'vitest';
import { retryAfterSeconds } from './retry-after.js';

const now = Date.parse('2026-01-01T00:00:00Z');

test.each([
  ['5', 5],
  ['0', undefined],
  ['86401', 86_400],
  ['999999999999', 86_400],
  ['Thu, 01 Jan 2026 00:01:30 GMT', 90],
  ['Fri, 01 Jan 2027 00:00:00 GMT', 86_400],
  ['Wed, 31 Dec 2025 23:59:00 GMT', undefined],
  ['-5', undefined],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
  [['7', '9'], 7],
])('Retry-After %j waits %j seconds', (header, seconds) => {
  expect(retryAfterSeconds(header, now)).toBe(seconds);
});
