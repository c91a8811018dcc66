import { expect, test } from 'vitest';
import { firstIdAt, newTaskId, timeOfId } from './task-id.js';

test('ids are UUIDv7 of now, each greater than the one before, also thousands in a millisecond', () => {
  const before = Date.now();
  const ids = Array.from({ length: 20_000 }, newTaskId);
  expect(ids.filter((id) => !/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toEqual([]);
  expect(ids.findIndex((id, index) => index > 0 && id <= ids[index - 1]!)).toBe(-1);
  expect(Date.parse(timeOfId(ids[0]!))).toBeGreaterThanOrEqual(before);
});

test('the first id of a moment is not above any id of it, and above those before', () => {
  const id = newTaskId();
  const moment = Date.parse(timeOfId(id));
  expect(firstIdAt(moment) <= id).toBe(true);
  expect(firstIdAt(moment + 1) > id).toBe(true);
});
