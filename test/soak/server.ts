import { join } from 'node:path';
import { copyBuild } from '../chaos/copy-build.js';
import { embeddedConnection } from '../chaos/embedded-faults.js';
import type { History } from '../chaos/history.js';
import { Postgres } from '../chaos/postgres.js';
import { queryOn, type Query } from '../chaos/query.js';
import { Replica } from '../chaos/replica.js';

export const token = 'a-token-of-the-soak-runs-0123456789';

export interface Server {
  url: string;
  processId: number;
  database: string;
  query: Query;
  /** SIGTERM, which must end it well; then its database. */
  stop(): Promise<void>;
  destroy(): void;
}

/** One server process with the settings it has by default, on a database of its own under `directory`. */
export async function startServer(root: string, directory: string, embedded: boolean, history: History): Promise<Server> {
  const build = copyBuild(root, directory);
  const postgres = embedded ? undefined : await Postgres.start(join(directory, 'postgres'));
  const dataDirectory = join(directory, 'data');
  const replica = new Replica({
    name: 'the server',
    build,
    directory: join(directory, 'server'),
    environment: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'warn',
      ADMIN_TOKEN: token,
      ...(postgres ? { DATABASE_URL: `postgresql://postgres@127.0.0.1:${postgres.port}/postgres` } : { DATA_DIR: dataDirectory }),
    },
    history,
  });
  await replica.start();
  return {
    url: replica.url!,
    processId: replica.processId,
    database: postgres?.version ?? 'embedded PostgreSQL',
    query: postgres?.query ?? queryOn(embeddedConnection(dataDirectory)),
    async stop() {
      await replica.stop();
      await postgres?.stop('fast');
    },
    destroy() {
      replica.destroy();
      postgres?.kill();
    },
  };
}
