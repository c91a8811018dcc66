import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';

/** The preset of "Quick stats" in https://worker.graphile.org/docs/performance. */
const worker = { concurrentJobs: 24, maxPoolSize: 25, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };

/** Its default logger writes a line for every job. */
const logger = new Logger(() => (level, message) => {
  if (level === 'error') console.error(message);
});

export async function start(connection) {
  const pool = new pg.Pool({ ...connection, max: worker.maxPoolSize });
  pool.on('error', (error) => console.error(error));
  pool.on('connect', (client) => client.on('error', (error) => console.error(error)));
  const utils = await makeWorkerUtils({ pgPool: pool, logger });
  await utils.migrate();
  let runner;
  return {
    async enqueueOne(parameters) {
      await utils.addJob('echo', parameters);
    },
    async enqueueBulk(list) {
      await utils.addJobs(list.map((payload) => ({ identifier: 'echo', payload })));
    },
    async work(onStart) {
      const taskList = { echo: async (payload) => onStart(payload) };
      runner = await run({ pgPool: pool, taskList, noHandleSignals: true, preset: { worker: { ...worker, logger } } });
    },
    async unfinished() {
      return Number((await pool.query('SELECT count(*) AS count FROM graphile_worker.jobs')).rows[0].count);
    },
    async stop() {
      await runner?.stop();
      await utils.release();
      await pool.end();
    },
  };
}
