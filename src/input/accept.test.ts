import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ListTasksDto } from '../tasks/task-filters.dto.js';
import { CreateTaskDto, PatchTaskDto } from '../tasks/tasks.dto.js';
import { accept } from './accept.js';
import { checkInput, checkThoroughly } from './validate.js';

const rarely = (value: unknown) =>
  fc.oneof({ weight: 20, arbitrary: fc.constant<unknown>(undefined) }, { weight: 1, arbitrary: fc.constant(value) });
const sometimes = (value: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 6, arbitrary: value }, { weight: 1, arbitrary: fc.jsonValue() });

const fields = {
  unknown: rarely(1),
  constructor: rarely(1),
  type: sometimes(fc.constantFrom('echo', 'http.request', 'Bad Name')),
  queue: sometimes(fc.constantFrom('default', 'a_b')),
  priority: sometimes(fc.constantFrom('low', 'critical', 'urgent')),
};
const task = fc.record({
  ...fields,
  name: fc.oneof({ weight: 6, arbitrary: fc.string({ unit: 'grapheme', maxLength: 300 }) }, { weight: 1, arbitrary: fc.jsonValue() }),
  parameters: sometimes(fc.dictionary(fc.string(), fc.jsonValue())),
  labels: sometimes(fc.dictionary(fc.constantFrom('team', 'a/b', '-'), fc.string())),
  max_attempts: sometimes(fc.integer({ min: -1, max: 102 })),
  timeout_seconds: sometimes(fc.oneof(fc.double(), fc.integer({ min: 1, max: 90_000 }))),
  backoff: sometimes(fc.record({ kind: fc.constantFrom('fixed', 'none') }, { requiredKeys: [] })),
  run_at: sometimes(fc.constantFrom(null, '2026-12-01T06:00:00Z', 'tomorrow')),
  start: sometimes(fc.constantFrom('auto', 'manual', 'now')),
});
const query = fc.record({
  ...fields,
  limit: sometimes(fc.constantFrom('5', '-1', 7)),
  status: sometimes(fc.constantFrom('queued', 'queued,running', 'done')),
  label: sometimes(fc.constantFrom('team:a', ['team:a', 'b:c'])),
});

test.each<[string, new () => object, fc.Arbitrary<unknown>]>([
  ['create', CreateTaskDto, task],
  ['patch', PatchTaskDto, task],
  ['list', ListTasksDto, query],
])('%s: what is accepted is what class-validator accepts, with the same values', (_, type, inputs) => {
  let accepted = 0;
  fc.assert(
    fc.property(inputs, (given) => {
      const plain = JSON.parse(JSON.stringify(given)) as object;
      const thorough = checkThoroughly(type, plain);
      const { value, errors } = checkInput(type, plain);
      expect(errors).toEqual(thorough.errors);
      if (errors.length) return;
      expect(value).toEqual(thorough.value);
      expect(value).toBeInstanceOf(type);
      accepted++;
    }),
    { numRuns: 2_000 },
  );
  // Both kinds of input were there.
  expect(accepted).toBeGreaterThan(10);
});

test('a plain task does not need class-validator', () => {
  expect(accept(CreateTaskDto, { name: ' a ', start: 'auto', parameters: { a: 1 } }, new Set(['parameters', 'labels']))).toEqual({
    name: 'a',
    start: 'auto',
    parameters: { a: 1 },
  });
});
