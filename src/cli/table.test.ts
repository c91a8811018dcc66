import { expect, test } from 'vitest';
import { table } from './table.js';
import { widthOf } from './text.js';

const id = '01a203f4-d9ad-763d-a518-7b95654d40e8';
const tasks = [
  {
    id,
    name: 'a nightly report with a long name',
    type: 'http.request',
    status: 'completed',
    progress: 100,
    created_at: '2026-11-26T18:03:13.123Z',
  },
  { id, name: '夜間の報告と長い名前', type: 'echo', status: 'failed', progress: 0, created_at: '2026-11-26T18:03:14.000Z' },
];
const columns = ['id', 'name', 'type', 'status', 'progress', 'created_at'];

test('without a width nothing is shortened', () => {
  expect(table(tasks, columns)[1]).toBe(
    `${id}  a nightly report with a long name  http.request  completed       100  2026-11-26 18:03:13Z`,
  );
});

test('a terminal of 80 columns has whole ids and states, short names, and leaves the last columns out', () => {
  const lines = table(tasks, columns, 80);
  expect(lines[1]).toBe(`${id}  a nightly report…  http.request  completed`);
  for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(80);
});

test('times give way before free text, and free text before columns', () => {
  expect(table(tasks, columns, 113)[1]).toBe(`${id}  a nightly report with a…  http.request  completed       100  11-26 18:03:13`);
});
