import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../test/support/database.js';
import type { Database } from '../database/database.js';
import { newTaskId } from '../engine/task-id.js';
import { enqueue } from '../engine/transitions/enqueue.js';
import { defaultBackoff } from './task.js';
import { taskColumns } from './task-view.js';
import { TasksStore } from './tasks.store.js';

let database: Database;
let close: () => Promise<void>;
let store: TasksStore;
beforeAll(async () => {
  ({ database, close } = await openTestDatabase());
  store = new TasksStore(database);
});
afterAll(() => close());

async function stored(tenantIds: string[]) {
  const tasks = tenantIds.map((tenant_id, index) => ({
    tenant_id,
    id: newTaskId(),
    name: `Task ${index}`,
    type: 'echo',
    queue: 'default',
    priority: 'medium' as const,
    parameters: { index },
    labels: {},
    max_attempts: 1,
    timeout_seconds: 300,
    backoff: defaultBackoff,
    run_at: null,
    start: 'manual' as const,
    created_by: 'root',
  }));
  await enqueue(database.api, tasks);
  return tasks;
}

test('tasks come in the order in which they were asked for, also one that was asked for twice', async () => {
  const tasks = await stored(['default', 'default', 'default']);
  const asked = [...tasks.toReversed(), ...tasks];
  expect((await store.getAll(asked)).map((task) => task?.name)).toEqual(asked.map(({ name }) => name));
});

test('a task that does not exist is nobody, and those asked for beside it are found', async () => {
  const [first, second] = await stored(['default', 'default']);
  const answers = await store.getAll([first!, { tenant_id: 'default', id: newTaskId() }, second!]);
  expect(answers.map((task) => task?.name)).toEqual([first!.name, undefined, second!.name]);
});

test('of two tenants that ask for one id at the same time, only its owner gets it', async () => {
  const [task] = await stored(['default']);
  const answers = await store.getAll(['other', 'default', 'other'].map((tenant_id) => ({ tenant_id, id: task!.id })));
  expect(answers.map((answer) => answer?.tenant_id)).toEqual([undefined, 'default', undefined]);
});

test('a task holds the fields that clients see, and nothing of the statement that found it', async () => {
  const [answer] = await store.getAll(await stored(['default']));
  expect(Object.keys(answer!)).toEqual(taskColumns.map((column) => (column === 'traceparent' ? 'trace_id' : column)));
});
