import { startBullmq } from './bullmq.mjs';

/** "Something between 100 and 300 is a quite standard setting": https://docs.bullmq.io/guide/parallelism-and-concurrency */
const concurrency = 100;

export function start({ path }) {
  return startBullmq({
    // A producer fails fast, a worker waits for Redis: https://docs.bullmq.io/guide/going-to-production
    connection: { path },
    workerConnection: { path, maxRetriesPerRequest: null },
    concurrency,
  });
}
