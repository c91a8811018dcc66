import { parseArgs } from 'node:util';

export interface Options {
  minutes: number;
  seed: number;
  replicas: number;
  /** One server with its embedded database instead of replicas on a PostgreSQL server. */
  embedded: boolean;
  /** A Redis between the replicas. */
  redis: boolean;
  /** Remote workers of the TypeScript SDK. */
  workers: number;
  /** Kinds of faults with this text in their name are left out. */
  skip: string | undefined;
  /** Keeps history and logs of a good run, too. */
  keep: boolean;
}

export const usage = `npm run chaos -- [--minutes 10] [--seed 42] [--replicas 3] [--redis] [--workers 3] [--embedded] [--skip TEXT] [--keep]

  --minutes   how long faults are injected; checking comes on top. Default: 2.
  --seed      draws the same faults again. Default: a random one, printed.
  --replicas  servers on one PostgreSQL, 2 to 8. Default: 3.
  --redis     a Redis between the replicas, with faults of its own.
  --workers   remote workers of the TypeScript SDK, 0 to 8, with faults of their own. Default: 0.
  --embedded  one server on its embedded database, killed together and apart.
  --skip      leaves out faults whose name contains the text, such as "WAL".
  --keep      keeps history and logs of a good run, too.`;

/** Throws a sentence about the first argument that is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '2' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
      replicas: { type: 'string', default: '3' },
      redis: { type: 'boolean', default: false },
      workers: { type: 'string', default: '0' },
      embedded: { type: 'boolean', default: false },
      skip: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  const options = {
    minutes: Number(values.minutes),
    seed: Number(values.seed),
    replicas: values.embedded ? 1 : Number(values.replicas),
    embedded: values.embedded,
    redis: values.redis,
    workers: Number(values.workers),
    skip: values.skip,
    keep: values.keep,
  };
  if (!(options.minutes > 0 && options.minutes <= 24 * 60)) throw new Error('--minutes must be a number above 0 and up to 1440.');
  if (!Number.isSafeInteger(options.seed) || options.seed < 0) throw new Error('--seed must be a whole number from 0.');
  if (!options.embedded && !(Number.isInteger(options.replicas) && options.replicas >= 2 && options.replicas <= 8)) {
    throw new Error('--replicas must be a whole number from 2 to 8.');
  }
  if (!(Number.isInteger(options.workers) && options.workers >= 0 && options.workers <= 8))
    throw new Error('--workers must be a whole number from 0 to 8.');
  if (options.embedded && options.workers) throw new Error('--workers needs replicas on one PostgreSQL: leave out --embedded.');
  if (options.embedded && options.redis) throw new Error('--redis needs replicas on one PostgreSQL: leave out --embedded.');
  return options;
}
