import { expect, test } from 'vitest';
import { backoffSeconds } from './backoff.js';

test.each([
  [1, 2],
  [2, 4],
  [5, 32],
  [12, 3_600],
  [1_000, 3_600],
])('after attempt %i at most %i seconds pass, and at least half of them', (attempts, seconds) => {
  expect(backoffSeconds(attempts, 0, () => 1)).toBe(seconds);
  expect(backoffSeconds(attempts, 0, () => 0)).toBe(seconds / 2);
});

test('a receiver that asks for more time gets it', () => {
  expect(backoffSeconds(1, 90, () => 1)).toBe(90);
  expect(backoffSeconds(12, 90, () => 1)).toBe(3_600);
});
