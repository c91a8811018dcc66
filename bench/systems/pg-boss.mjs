import { PgBoss } from 'pg-boss';

const queueName = 'bench';

/**
 * From pg-boss's own option docs (types.d.ts, https://timgit.github.io/pg-boss/api/workers): a large batch, fetched again at
 * once while batches are full, two workers so that one fetches while the other completes, and LISTEN/NOTIFY instead of the
 * polling interval (at best 0.5 s) for what comes in one by one. A batch handler completes its whole batch in one statement.
 */
const workOptions = { batchSize: 500, burstWhenBatchFull: true, localConcurrency: 2 };

export async function start(connection) {
  // One connection pool as large as for the others; the schedules that nobody uses here are off.
  const boss = new PgBoss({ ...connection, max: 20, useListenNotify: true, schedule: false });
  boss.on('error', (error) => console.error(error));
  await boss.start();
  await boss.createQueue(queueName, { notify: true });
  return {
    async enqueueOne(parameters) {
      await boss.send(queueName, parameters);
    },
    async enqueueBulk(list) {
      await boss.insert(
        queueName,
        list.map((data) => ({ data })),
      );
    },
    async work(onStart) {
      await boss.work(queueName, workOptions, async (jobs) => {
        for (const job of jobs) onStart(job.data);
      });
    },
    async unfinished() {
      const statement = `SELECT count(*) AS count FROM pgboss.job WHERE name = $1 AND state < 'completed'`;
      const { rows } = await boss.getDb().executeSql(statement, [queueName]);
      return Number(rows[0].count);
    },
    async stop() {
      await boss.stop({ graceful: true, timeout: 10_000 });
    },
  };
}
