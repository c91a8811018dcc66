/**
 * What is compared. Each module exports `start(connection)`, which answers an object with:
 * - `enqueueOne(parameters)`: resolves when the task is accepted as durably as this system makes it;
 * - `enqueueBulk(list)`: the same for many in the one call that the system has for that;
 * - `work(onStart)`: starts to run tasks; `onStart(parameters)` is all their handler does;
 * - `unfinished()`: tasks that are not yet recorded as finished;
 * - `stop()`.
 */
export const systems = [
  { name: 'arkitect', label: 'ARKITECT (PostgreSQL)', server: 'postgres', module: './arkitect.mjs' },
  { name: 'arkitect-embedded', label: 'ARKITECT (embedded)', server: 'embedded', module: './arkitect.mjs' },
  { name: 'bullmq-redis', label: 'BullMQ (Redis)', server: 'redis', module: './bullmq-redis.mjs' },
  { name: 'bullmq-postgres', label: 'BullMQ (PostgreSQL)', server: 'postgres', module: './bullmq-postgres.mjs' },
  { name: 'pg-boss', label: 'pg-boss', server: 'postgres', module: './pg-boss.mjs' },
  { name: 'graphile-worker', label: 'graphile-worker', server: 'postgres', module: './graphile-worker.mjs' },
];
