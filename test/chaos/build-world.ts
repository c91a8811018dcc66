import { chmodSync, cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { connectionFaults } from './connection-faults.js';
import { databaseFaults } from './database-faults.js';
import { embeddedConnection, embeddedFaults } from './embedded-faults.js';
import type { Fault } from './faults.js';
import type { History } from './history.js';
import type { Options } from './options.js';
import { Postgres } from './postgres.js';
import { Proxy } from './proxy.js';
import { queryOn } from './query.js';
import { clockFault, replicaFaults } from './replica-faults.js';
import { fakeTimeLibrary, Replica } from './replica.js';
import { engineSettings, type World } from './world.js';

export interface Stage {
  world: World;
  faults: Fault[];
  /** SIGTERM for all, each of which must end well; then the database. */
  stop(): Promise<void>;
  /** Kills what is there. */
  destroy(): void;
}

/** Starts database, proxies and replicas under `directory`. */
export async function buildWorld(root: string, directory: string, options: Options, history: History): Promise<Stage> {
  // A copy, so that the sources may change and be compiled while this runs.
  const build = join(directory, 'build');
  mkdirSync(build);
  for (const part of ['dist', 'migrations', 'package.json']) cpSync(join(root, part), join(build, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(build, 'node_modules'));
  chmodSync(directory, 0o755);
  const base = { history, leaseSeconds: Number(engineSettings.ENGINE_LEASE_SECONDS) };
  const environment = { PATH: process.env.PATH, HOME: process.env.HOME, ...engineSettings };
  return options.embedded ? embeddedStage(base, build, directory, environment) : serverStage(base, build, directory, environment, options);
}

type Base = Pick<World, 'history' | 'leaseSeconds'>;

async function serverStage(base: Base, build: string, directory: string, environment: NodeJS.ProcessEnv, options: Options): Promise<Stage> {
  const postgres = await Postgres.start(join(directory, 'postgres'));
  const proxies = await Promise.all(
    Array.from({ length: options.replicas }, () => Proxy.start({ host: '127.0.0.1', port: postgres.port })),
  );
  const replicas = proxies.map((proxy, index) => {
    const url = `postgresql://postgres@127.0.0.1:${proxy.port}/postgres`;
    const name = `replica ${index + 1}`;
    const settings = { ...environment, DATABASE_URL: url };
    return new Replica({ name, build, directory: join(directory, `replica-${index + 1}`), environment: settings, history: base.history });
  });
  const world: World = { ...base, replicas, proxies, postgres, query: postgres.query };
  const faults = [...replicaFaults, ...(fakeTimeLibrary ? [clockFault] : []), ...databaseFaults, ...connectionFaults];
  const destroy = () => {
    for (const replica of replicas) replica.destroy();
    postgres.kill();
  };
  try {
    await Promise.all(replicas.map((replica) => replica.start()));
  } catch (error) {
    destroy();
    throw error;
  }
  return {
    world,
    faults,
    destroy,
    async stop() {
      await Promise.all(replicas.map((replica) => replica.stop()));
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await postgres.stop('fast');
    },
  };
}

async function embeddedStage(base: Base, build: string, directory: string, environment: NodeJS.ProcessEnv): Promise<Stage> {
  const dataDirectory = join(directory, 'data');
  const settings = { ...environment, DATA_DIR: dataDirectory };
  const server = new Replica({
    name: 'the server',
    build,
    directory: join(directory, 'server'),
    environment: settings,
    history: base.history,
  });
  await server.start();
  const query = queryOn(embeddedConnection(dataDirectory));
  const world: World = { ...base, replicas: [server], proxies: [], postgres: undefined, query };
  return {
    world,
    faults: [...replicaFaults, ...embeddedFaults(dataDirectory)],
    destroy: () => server.destroy(),
    stop: () => server.stop(),
  };
}
