import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { send } from './api.js';
import type { History } from './history.js';
import { Proxy } from './proxy.js';
import type { Random } from './random.js';
import { RemoteWorker } from './remote-worker.js';
import type { Replica } from './replica.js';
import { within } from './within.js';
import { token } from './world.js';

const welcomeMs = 60_000;

/** `count` workers, known to the server when this resolves. */
export async function startRemoteWorkers(
  root: string,
  directory: string,
  count: number,
  replicas: Replica[],
  random: Random,
  history: History,
) {
  const sdk = join(root, 'sdk/typescript/dist/index.js');
  if (count && !existsSync(sdk))
    throw new Error('--workers needs the TypeScript SDK: run "npm ci && npm run build" in sdk/typescript, then try again.');
  const target = () => ({ host: '127.0.0.1', port: random.pick(replicas).grpcPort });
  const workers = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const name = `remote-${index + 1}`;
      return new RemoteWorker({ name, proxy: await Proxy.start(target), sdk, token, log: join(directory, `${name}.log`), history });
    }),
  );
  for (const worker of workers) worker.start();
  const known = async () => {
    const answer = await send(replicas[0]!.url!, 'GET', '/workers');
    return answer !== 'lost' && answer.status === 200 && (answer.body as { items: unknown[] }).items.length === count;
  };
  if (count && !(await within(welcomeMs, known))) throw new Error(`The ${count} remote workers did not connect in ${welcomeMs / 1_000} s.`);
  return workers;
}
