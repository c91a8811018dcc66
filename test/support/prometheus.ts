import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { until } from './until.js';

export interface Program {
  url: string;
  close(): Promise<void>;
}

export interface Prometheus extends Program {
  /** The value of the first series of an instant query. */
  query(expression: string): Promise<number | undefined>;
}

export function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version']).status === 0;
}

/** A real Prometheus with this configuration. */
export async function startPrometheus(config: object): Promise<Prometheus> {
  const program = await start(config, (file, data, address) => [
    'prometheus',
    `--config.file=${file}`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=${address}`,
    // What is found before Alertmanagers are known is sent to none of them, and else again only after a minute.
    '--rules.alert.resend-delay=1s',
    '--enable-feature=exemplar-storage',
  ]);
  return {
    ...program,
    async query(expression) {
      const answer = await fetch(`${program.url}/api/v1/query?query=${encodeURIComponent(expression)}`);
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      const [first] = data.result;
      return first && Number(first.value[1]);
    },
  };
}

/** A real Alertmanager, alone. */
export function startAlertmanager(config: object): Promise<Program> {
  return start(config, (file, data, address) => [
    'prometheus-alertmanager',
    `--config.file=${file}`,
    `--storage.path=${data}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
  ]);
}

async function start(config: object, commandOf: (file: string, data: string, address: string) => [string, ...string[]]): Promise<Program> {
  const directory = mkdtempSync(join(tmpdir(), 'arkitect-prometheus-'));
  const file = join(directory, 'config.yml');
  // JSON is YAML, too.
  writeFileSync(file, JSON.stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const [command, ...args] = commandOf(file, join(directory, 'data'), address);
  const child = spawn(command, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const url = `http://${address}`;
  await until(`${command} to be ready`, () =>
    fetch(`${url}/-/ready`).then(
      (answer) => answer.ok,
      () => false,
    ),
  );
  return {
    url,
    async close() {
      child.kill();
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
