// What both backends of BullMQ share.
import { Queue, Worker } from 'bullmq';

const queueName = 'bench';

/** Finished jobs are removed: the fastest retention, and what the guide to the PostgreSQL backend advises. */
const defaultJobOptions = { removeOnComplete: true, removeOnFail: true };

/** `backend`: the arguments that choose one, after the options (none for Redis). */
export async function startBullmq({ connection, workerConnection = connection, concurrency, backend = [] }) {
  const queue = new Queue(queueName, { connection, defaultJobOptions }, ...backend);
  await queue.waitUntilReady();
  let worker;
  return {
    async enqueueOne(parameters) {
      await queue.add('echo', parameters);
    },
    async enqueueBulk(list) {
      await queue.addBulk(list.map((data) => ({ name: 'echo', data })));
    },
    async work(onStart) {
      const run = async (job) => onStart(job.data);
      worker = new Worker(queueName, run, { connection: workerConnection, concurrency }, ...backend);
      worker.on('error', (error) => console.error(error));
      await worker.waitUntilReady();
    },
    async unfinished() {
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    async stop() {
      await worker?.close();
      await queue.close();
    },
  };
}
