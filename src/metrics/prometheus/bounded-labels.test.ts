import { expect, test } from 'vitest';
import { BoundedLabel, other } from './bounded-labels.js';

test('a hundred thousand values of callers become a few labels', () => {
  const label = new BoundedLabel(50);
  const seen = new Set(Array.from({ length: 100_000 }, (_, index) => label.of(`value-${index}`)));
  expect(seen.size).toBe(51);
  expect(seen.has(other)).toBe(true);
  expect(label.of('value-0')).toBe('value-0');
  expect(label.of('value-99999')).toBe(other);
});
