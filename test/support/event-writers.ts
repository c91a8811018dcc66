import pg from 'pg';
import { until } from './until.js';

/** An event of a task that does not exist, named `$1`. */
export const insertEvent = `INSERT INTO events (tenant_id, task_id, action, name)
  SELECT 'default', gen_random_uuid(), 'task_updated', $1::text RETURNING seq`;

export async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

/**
 * Many writers that commit and roll back out of order; after each transaction `told` is called with the number of its round.
 * Answers the numbers of the committed events, in order.
 */
export async function writeOutOfOrder(url: string, writers: number, rounds: number, told: (round: number) => void): Promise<number[]> {
  const committed: number[] = [];
  const write = async (_: unknown, writer: number) => {
    const client = await connectTo(url);
    for (let round = 0; round < rounds; round++) {
      await client.query('BEGIN');
      const { rows } = await client.query<{ seq: string }>(insertEvent, [`${writer}/${round}`]);
      if ((writer + round) % 3 === 0) await client.query('SELECT pg_sleep(0.002)');
      const keep = (writer * 7 + round) % 5 !== 0;
      await client.query(keep ? 'COMMIT' : 'ROLLBACK');
      if (keep) committed.push(Number(rows[0]!.seq));
      told(round);
    }
    await client.end();
  };
  await Promise.all(Array.from({ length: writers }, write));
  return committed.toSorted((a, b) => a - b);
}

/** Resolves when the tail has met a gap and asked who is writing. */
export async function tailAsksForWriters(url: string): Promise<void> {
  const client = await connectTo(url);
  await until('the tail to look at the writers', async () => {
    const { rows } = await client.query(
      `SELECT 1 FROM pg_stat_activity
       WHERE application_name = 'arkitect loops' AND query LIKE '%pg_locks%' AND datname = current_database()`,
    );
    return rows.length > 0;
  });
  await client.end();
}
