// The PostgreSQL of the system's packages, with fsync on, on a unix socket in a directory of its own.
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { spawnServer, stopProcess, waitForOutput } from '../lib/processes.mjs';
import { postgresDatabases } from './postgres-databases.mjs';

/** The same for every system that uses it: durable, and no checkpoint in the middle of a round. The rest is PostgreSQL's default. */
const parameters = {
  fsync: 'on',
  synchronous_commit: 'on',
  listen_addresses: '',
  max_connections: '200',
  shared_buffers: '256MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '30min',
};

export async function startPostgres(directory) {
  const bin = programs();
  const data = join(directory, 'postgres');
  mkdirSync(data);
  const root = process.getuid() === 0;
  if (root) chownSync(data, accountId('-u'), accountId('-g'));
  const account = root ? 'postgres' : undefined;
  const initdb = spawnServer(join(bin, 'initdb'), ['-D', join(data, 'cluster'), '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C'], {
    account,
    cwd: data,
  });
  await waitForOutput(initdb, /Success\./);
  const args = Object.entries({ ...parameters, unix_socket_directories: data }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawnServer(join(bin, 'postgres'), ['-D', join(data, 'cluster'), ...args], { account, cwd: data });
  await waitForOutput(server, /ready to accept connections/);
  return postgresDatabases({
    connection: { host: data, port: 5432, user: 'bench' },
    pid: server.pid,
    // SIGINT: fast shutdown.
    stop: () => stopProcess(server, 'SIGINT'),
  });
}

/** Debian puts each major version in a directory of its own; the newest is taken. */
function programs() {
  const versions = '/usr/lib/postgresql';
  const newest = existsSync(versions) && readdirSync(versions).sort((a, b) => Number(b) - Number(a))[0];
  if (!newest) throw new Error('PostgreSQL is not installed. Install it (apt-get install postgresql) and run this again.');
  return join(versions, newest, 'bin');
}

function accountId(flag) {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
}
