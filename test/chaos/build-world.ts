import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../support/free-port.js';
import { hasRedis } from '../support/redis.js';
import { connectionFaults } from './connection-faults.js';
import { copyBuild } from './copy-build.js';
import { databaseFaults } from './database-faults.js';
import { diskFaults } from './disk-faults.js';
import { embeddedConnection, embeddedFaults } from './embedded-faults.js';
import type { Deck } from './faults.js';
import type { History } from './history.js';
import type { Options } from './options.js';
import { Postgres } from './postgres.js';
import { Proxy } from './proxy.js';
import { queryOn } from './query.js';
import { clockFault, replicaFaults } from './replica-faults.js';
import { redisFaults } from './redis-faults.js';
import { fakeTimeLibrary, Replica } from './replica.js';
import { Random } from './random.js';
import { SharedRedis } from './shared-redis.js';
import { SmallDisk } from './small-disk.js';
import { startRemoteWorkers } from './start-remote-workers.js';
import { workerFaults } from './worker-faults.js';
import { engineSettings, type World } from './world.js';

export interface Stage {
  world: World;
  decks: Deck[];
  /** SIGTERM for all, each of which must end well; then the database. */
  stop(): Promise<void>;
  /** Kills what is there. */
  destroy(): Promise<void>;
}

/** Starts database, proxies and replicas under `directory`. */
export async function buildWorld(root: string, directory: string, options: Options, history: History): Promise<Stage> {
  const build = copyBuild(root, directory);
  const base = { history, leaseSeconds: Number(engineSettings.ENGINE_LEASE_SECONDS) };
  const environment = { PATH: process.env.PATH, HOME: process.env.HOME, ...engineSettings };
  const stage = await (options.embedded
    ? embeddedStage(base, build, directory, environment)
    : serverStage(base, root, build, directory, environment, options));
  return { ...stage, decks: stage.decks.map((deck) => without(options.skip, deck)) };
}

function without(skipped: string | undefined, { faults, hands }: Deck): Deck {
  return { hands, faults: skipped ? faults.filter(({ kind }) => !kind.includes(skipped)) : faults };
}

type Base = Pick<World, 'history' | 'leaseSeconds'>;

async function serverStage(
  base: Base,
  root: string,
  build: string,
  directory: string,
  environment: NodeJS.ProcessEnv,
  options: Options,
): Promise<Stage> {
  if (options.redis && !hasRedis) throw new Error("Redis is not installed. Install Debian's package redis-server, then try again.");
  const postgres = await Postgres.start(join(directory, 'postgres'));
  const proxies = await Promise.all(
    Array.from({ length: options.replicas }, () => Proxy.start({ host: '127.0.0.1', port: postgres.port })),
  );
  const redis = options.redis ? await SharedRedis.start(options.replicas) : undefined;
  const grpcPorts = await Promise.all(proxies.map(() => freePort()));
  const replicas = proxies.map((proxy, index) => {
    const url = `postgresql://postgres@127.0.0.1:${proxy.port}/postgres`;
    const name = `replica ${index + 1}`;
    const settings = { ...environment, DATABASE_URL: url, ...(redis && { REDIS_URL: redis.url(index) }) };
    return new Replica({
      name,
      build,
      directory: join(directory, `replica-${index + 1}`),
      environment: settings,
      history: base.history,
      grpcPort: grpcPorts[index],
    });
  });
  const world: World = { ...base, replicas, proxies, postgres, redis, workers: [], query: postgres.query };
  const faults = [...replicaFaults, ...(fakeTimeLibrary ? [clockFault] : []), ...databaseFaults, ...connectionFaults];
  const destroy = async () => {
    for (const worker of world.workers) worker.destroy();
    for (const replica of replicas) replica.destroy();
    postgres.kill();
    await redis?.close();
  };
  try {
    await Promise.all(replicas.map((replica) => replica.start()));
    world.workers = await startRemoteWorkers(root, directory, options.workers, replicas, new Random(options.seed), base.history);
  } catch (error) {
    await destroy();
    throw error;
  }
  return {
    world,
    decks: [
      { faults, hands: 2 },
      ...(redis ? [{ faults: redisFaults, hands: 1 }] : []),
      ...(options.workers ? [{ faults: workerFaults, hands: 1 }] : []),
    ],
    destroy,
    async stop() {
      await Promise.all(world.workers.map((worker) => worker.stop()));
      await Promise.all(replicas.map((replica) => replica.stop()));
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await postgres.stop('fast');
      await redis?.close();
    },
  };
}

async function embeddedStage(base: Base, build: string, directory: string, environment: NodeJS.ProcessEnv): Promise<Stage> {
  const dataDirectory = join(directory, 'data');
  const settings = { ...environment, DATA_DIR: dataDirectory };
  const disk = smallDisk(dataDirectory);
  const server = new Replica({
    name: 'the server',
    build,
    directory: join(directory, 'server'),
    environment: settings,
    history: base.history,
  });
  const leaveDisk = () => {
    if (!disk) return;
    const log = join(dataDirectory, 'postgres.log');
    if (existsSync(log)) copyFileSync(log, join(directory, 'postgres.log'));
    disk.unmount();
  };
  const destroy = async () => {
    server.destroy();
    leaveDisk();
  };
  try {
    await server.start();
  } catch (error) {
    await destroy();
    throw error;
  }
  const query = queryOn(embeddedConnection(dataDirectory));
  const world: World = { ...base, replicas: [server], proxies: [], postgres: undefined, redis: undefined, workers: [], query };
  const faults = [...replicaFaults, ...embeddedFaults(dataDirectory), ...(disk ? diskFaults(disk) : [])];
  return {
    world,
    decks: [{ faults, hands: 2 }],
    destroy,
    async stop() {
      await server.stop();
      leaveDisk();
    },
  };
}

function smallDisk(directory: string): SmallDisk | undefined {
  try {
    return SmallDisk.mount(directory);
  } catch (error) {
    console.log(`A full disk is not possible here: ${(error as Error).message}`);
    return undefined;
  }
}
