import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cliFor, cliProgram, shell, type Cli } from '../support/cli.js';
import { buildServer } from '../support/server-process.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));

let server: TestServer;
let cli: Cli;
let directory: string;
beforeAll(async () => {
  buildServer();
  server = await startTestServer();
  directory = mkdtempSync(join(tmpdir(), 'arkitect-cli-'));
  cli = cliFor({ ARKITECT_URL: server.url, ARKITECT_TOKEN: server.token }, directory);
});
afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

test('a task is created, run and read, for people and for programs', async () => {
  const { code, stdout } = await cli('tasks', 'create', 'hello', '--param', 'hello=world', '--start', 'auto', '--wait', '30');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^status +completed$/m);
  expect(stdout).toMatch(/^result +hello=world$/m);
  const id = /^id +(\S+)$/m.exec(stdout)![1]!;
  expect(await cli.json('tasks', 'get', id)).toMatchObject({ id, status: 'completed', result: { hello: 'world' } });
  expect((await cli.json('tasks', 'attempts', id)).items).toMatchObject([{ attempt: 1, status: 'completed' }]);
  const events = await cli('tasks', 'events', id, '--follow', '--output', 'ndjson');
  expect(
    events.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { action: string }).action),
  ).toEqual(['task_created', 'task_started', 'task_completed']);
  expect((await cli('tasks', 'logs', id, '-f')).code).toBe(0);
  expect(await cli('tasks', 'delete', id)).toMatchObject({ code: 0, stdout: `Task ${id} is deleted.\n` });
});

test('the two-step flow, cancel and retry', async () => {
  const { id } = await cli.json('tasks', 'create', 'nap', '--type', 'sleep', '--param', 'seconds=600', '--label', 'team=a');
  expect(await cli.json('tasks', 'execute', id)).toMatchObject({ status: 'queued', parameters: { seconds: 600 }, labels: { team: 'a' } });
  await cli.json('tasks', 'cancel', id);
  await until('the task is cancelled', async () => (await cli.json('tasks', 'get', id)).status === 'cancelled');
  expect(await cli.json('tasks', 'retry', id)).toMatchObject({ status: 'queued' });
  await cli.json('tasks', 'cancel', id);
});

test('parameters come from a file, from stdin and from single words, and the words win', async () => {
  writeFileSync(join(directory, 'parameters.json'), '{"a": 1, "b": {"c": 2}}');
  const args = ['tasks', 'create', 'parameters', '--param', 'a=text', '--param', 'n=5', '--output', 'json'];
  const fromFile = JSON.parse((await cli(...args, '--params', '@parameters.json')).stdout) as { parameters: object };
  expect(JSON.stringify(fromFile.parameters)).toBe('{"a":"text","b":{"c":2},"n":5}');
  const fromInput = JSON.parse((await cli.withInput('{"z": null}', ...args, '--params', '@-')).stdout) as { parameters: object };
  expect(fromInput.parameters).toMatchObject({ z: null, a: 'text', n: 5 });
});

test('lists are pages; --all and ndjson give every item on a line', async () => {
  for (let n = 0; n < 3; n++) await cli.json('tasks', 'create', `listed ${n}`, '--queue', 'listed');
  const page = await cli('tasks', 'list', '--queue', 'listed', '--limit', '2');
  expect(page.stdout).toMatch(/^ID +NAME +TYPE +STATUS/);
  expect(page.stdout.trim().split('\n')).toHaveLength(3);
  expect(page.stderr).toMatch(/^There are more: --cursor \S+, or --all\.\n$/);
  const all = await cli('tasks', 'list', '--queue', 'listed', '--limit', '2', '--all', '--output', 'ndjson');
  expect(
    all.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { name: string }).name),
  ).toEqual(['listed 2', 'listed 1', 'listed 0']);
  expect(await cli('tasks', 'list', '--queue', 'none')).toEqual({ code: 0, stdout: '', stderr: 'There are none.\n' });
});

test('what others have written cannot steer the terminal', async () => {
  await cli.json('tasks', 'create', 'turn', '--queue', 'unsafe', '--param', 'note=a\u202eb\u009b31m');
  const labels = await cli('tasks', 'list', '--queue', 'unsafe', '--output', 'ndjson');
  const { stdout } = await cli('tasks', 'get', (JSON.parse(labels.stdout || '{}') as { id?: string }).id ?? 'none');
  for (const printed of [labels.stdout, stdout]) expect(printed).not.toMatch(/[\u0080-\u009f\u202e\u001b]/);
});

test('alerts are raised, acknowledged, resolved and counted', async () => {
  const { id } = await cli.json('alerts', 'raise', 'BackupFailed', '--severity', 'critical', '--label', 'host=db-1', '--value', '-3.5');
  expect(await cli.json('alerts', 'get', id)).toMatchObject({ severity: 'critical', labels: { host: 'db-1' }, value: -3.5 });
  expect((await cli.json('alerts', 'list', '--label', 'host=db-1')).items).toMatchObject([{ id }]);
  expect(await cli.json('alerts', 'ack', id, '--minutes', '60', '--note', 'Looking.')).toMatchObject({ status: 'acknowledged' });
  expect(await cli.json('alerts', 'resolve', id)).toMatchObject({ status: 'resolved' });
  expect((await cli.json('alerts', 'history', id)).items).toHaveLength(3);
  expect((await cli('alerts', 'stats')).stdout).toMatch(/^noisiest +BackupFailed \(1\)$/m);
});

test('rules, silences, routes and channels', async () => {
  const settings = ['--metric', 'arkitect_tasks', '--where', 'status=queued', '--threshold', '1000'];
  const rule = await cli.json('alerts', 'rules', 'create', 'QueueTooLong', ...settings, '--set', 'group_by=["queue"]');
  expect(rule.spec).toMatchObject({
    matchers: [{ label: 'status', operator: '=', value: 'queued' }],
    threshold: 1_000,
    group_by: ['queue'],
  });
  expect(await cli.json('alerts', 'rules', 'pause', rule.id)).toMatchObject({ enabled: false });
  expect(await cli.json('alerts', 'rules', 'resume', rule.id)).toMatchObject({ enabled: true });
  for (const test of [[rule.id], settings]) expect(await cli.json('alerts', 'rules', 'test', ...test)).toMatchObject({ firings: [] });
  expect((await cli('alerts', 'rules', 'list')).stdout).toContain('QueueTooLong');
  expect((await cli('alerts', 'rules', 'delete', rule.id)).code).toBe(0);

  const silence = await cli.json('alerts', 'silences', 'add', 'host=~db-.*', 'severity!=critical', '--for', '2h', '--comment', 'Moves.');
  expect(silence.matchers.map(({ operator }: { operator: string }) => operator)).toEqual(['=~', '!=']);
  expect(Date.parse(silence.ends_at) - Date.parse(silence.starts_at)).toBeCloseTo(7_200_000, -5);
  expect((await cli.json('alerts', 'silences', 'list', '--status', 'active')).items).toMatchObject([{ id: silence.id }]);
  expect((await cli('alerts', 'silences', 'expire', silence.id)).code).toBe(0);

  writeFileSync(join(directory, 'routes.json'), (await cli('alerts', 'routes', 'get', '--output', 'json')).stdout);
  expect(await cli.json('alerts', 'routes', 'put', '@routes.json', '--if-version', '0')).toMatchObject({ version: 1 });
  expect(await cli('alerts', 'routes', 'put', '@routes.json', '--if-version', '7')).toMatchObject({ code: 1 });
  expect(await cli.json('alerts', 'routes', 'test', '--name', 'X')).toMatchObject({ routes: [{ route: 'default' }] });
  expect((await cli.json('alerts', 'channels', 'list')).items).toEqual([]);
});

test('metrics, their history, health and workers', async () => {
  expect((await cli('metrics')).stdout).toMatch(/^TASKS /m);
  expect(await cli.json('metrics')).toMatchObject({ task_metrics: { by_queue: {} } });
  await until('the first sample', async () => (await cli.json('metrics', 'names')).items.includes('arkitect_tasks'));
  expect(await cli.json('metrics', 'history', 'arkitect_tasks', '--label', 'status=queued')).toMatchObject({ metric: 'arkitect_tasks' });
  expect((await cli('health')).stdout).toMatch(/^database +up/m);
  expect(await cli.json('workers', 'list')).toEqual({ items: [] });
});

test('settings are read, changed on every replica, taken back and rolled back', async () => {
  const { version: before } = await cli.json('config', 'get');
  const set = ['config', 'set', 'RUNNER_SLOTS=7', 'CORS_ORIGINS=https://a.example,https://b.example'];
  expect(await cli(...set, '--dry-run')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^RUNNER_SLOTS +16 +7 +live$/m) });
  const made = await cli.json(...set, '--reason', 'Too slow', '--expires-in', '15m', '--wait', '30');
  const version = before + 1;
  expect(made).toMatchObject({ version, complete: true, replicas: [{ version }] });
  expect(Date.parse(made.expires_at) - Date.now()).toBeGreaterThan(890_000);
  const { settings } = await cli.json('config', 'get', 'RUNNER_SLOTS', 'CORS_ORIGINS');
  expect(settings).toMatchObject([
    { key: 'CORS_ORIGINS', value: ['https://a.example', 'https://b.example'], source: 'override' },
    { key: 'RUNNER_SLOTS', value: 7, set_by: 'root' },
  ]);
  expect((await cli('config', 'get', '--changed')).stdout).toMatch(/^RUNNER_SLOTS +7 +override +until .*; hides 16 \(default\)$/m);
  expect((await cli('config', 'version', String(version))).stdout).toMatch(/^complete +yes$/m);

  expect((await cli('config', 'unset', 'RUNNER_SLOTS')).stdout).toMatch(/^RUNNER_SLOTS +7 +16 +live$/m);
  expect(await cli('config', 'set', 'RUNNER_SLOTS=9', '--if-version', String(version))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('VERSION_MISMATCH'),
  });
  expect(await cli.json('config', 'rollback', String(before), '--wait', '30')).toMatchObject({ version: version + 2, complete: true });
  const { stdout: history } = await cli('config', 'history', '--limit', '3');
  expect(history).toMatch(new RegExp(`^ +${version + 2} .* CORS_ORIGINS unset +back to ${before}$`, 'm'));
  expect((await cli('config', 'schema', 'RUNNER_SLOTS')).stdout).toMatch(/^accepts +a whole number from 0 to 1000$/m);
  expect(await cli('config', 'set', 'RUNNER_SLOTS=many')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('\n  changes.RUNNER_SLOTS: must be a whole number'),
  });
});

test('a refusal is exit code 1 with the words of the API', async () => {
  const { body } = await server.api('POST', '/tasks', { name: 'x', priority: 'hot', max_attempts: 'many' });
  const { code, stdout, stderr } = await cli('tasks', 'create', 'x', '--priority', 'hot', '--max-attempts', 'many');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(`arkitect: VALIDATION_FAILED: ${body.title}\n`);
  for (const { field, message } of body.errors) expect(stderr).toContain(`\n  ${field}: ${message}\n`);
  const json = await cli('tasks', 'get', '01a203f4-d9ad-763d-a518-7b95654d40e8', '--output', 'json');
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stderr)).toMatchObject({ code: 'NOT_FOUND', status: 404, request_id: expect.any(String) });
  const worker = await cli('workers', 'drain', 'nobody@1');
  expect(worker).toMatchObject({ code: 1, stderr: expect.stringContaining('NOT_FOUND') });
});

test('wrong usage is exit code 2 and says what is possible', async () => {
  expect(await cli('--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  expect(await cli('tasks', 'lst')).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean list?') });
  expect(await cli('tasks', 'get')).toMatchObject({ code: 2, stderr: expect.stringContaining("missing required argument 'id'") });
  expect(await cli('tasks')).toMatchObject({ code: 2, stderr: expect.stringContaining('Examples:') });
  expect(await cli('tasks', 'create', 'x', '--param', 'novalue')).toMatchObject({ code: 2, stderr: expect.stringContaining('key=value') });
  expect(await cli('tasks', 'create', 'x', '--params', '@missing.json')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('missing.json'),
  });
  expect(await cli('tasks', 'list', '--url', 'nowhere')).toMatchObject({ code: 2, stderr: expect.stringContaining('http://') });
  expect(await cli('watch', '--count', 'many')).toMatchObject({ code: 2, stderr: expect.stringContaining('--count') });
  expect(await cli('tasks', 'delete', '..')).toMatchObject({ code: 2, stderr: 'arkitect: ".." is no id.\n' });
  expect(await cli('watch', 'workers')).toMatchObject({ code: 2 });
  expect(await cli('config', 'get', 'NOPE')).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no setting "NOPE".') });
  expect(await cli('config', 'set', 'RUNNER_SLOTS=1', '--wait', 'long')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--wait'),
  });
});

test.each(['tasks list', 'health', 'watch', 'top'])('a server that is not there is exit code 3: %s', async (line) => {
  const { code, stderr } = await cli(...line.split(' '), '--url', 'http://127.0.0.1:9');
  expect(stderr).toContain('arkitect: No answer from http://127.0.0.1:9: ');
  expect(code).toBe(3);
});

test('the token comes from --token, ARKITECT_TOKEN or the generated file, and the file only goes to this machine', async () => {
  const data = join(directory, 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'admin-token'), `${server.token}\n`);
  const created = async (env: Record<string, string>, ...args: string[]) =>
    (await cliFor({ ARKITECT_URL: server.url, ...env }, directory).json('tasks', 'create', 'x', ...args)).created_by;
  expect(await created({})).toBe('root');
  expect(await created({ DATA_DIR: join(directory, 'elsewhere') })).toBe('anonymous');
  expect(await created({ DATA_DIR: data })).toBe('root');
  // Not of this machine, as far as its name tells.
  const elsewhere = await cliFor({ ARKITECT_URL: server.url.replace('127.0.0.1', '0.0.0.0') }, directory)('tasks', 'list');
  expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining('Give one by --token or ARKITECT_TOKEN') });
  const wrong = await cliFor({ ARKITECT_URL: server.url, ARKITECT_TOKEN: server.token }, directory)('tasks', 'list', '--token', 'wrong');
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('(The token came from --token.)') });
  expect(wrong.stderr + wrong.stdout).not.toContain(server.token);
});

const pages: [page: string, parts: RegExp[]][] = [
  ['README.md', [/^result +hello=world$/m, /^RUNNER_SLOTS +16 +32 +live$/m, /^arkitect top/m]],
  ['docs/cli.md', [/^result +hello=world$/m, /task_cancelled/, /BackupFailed/, /^source +override$/m, /^TASKS/m, /^status  ok$/m]],
  ['docs/config.md', [/^LOG_LEVEL +error +debug +live$/m, /RUNNER_SLOTS=32 +Lost webhooks$/m, /^RUNNER_SLOTS +32 +16 +live$/m]],
];

test.each(pages)('what %s shows works', async (page, parts) => {
  await cli('config', 'rollback', '0');
  const text = readFileSync(join(repository, page), 'utf8');
  const flow = [...text.matchAll(/<!-- cli flow -->\s*```sh\n([^]*?)```/g)].map(([, lines]) => lines);
  expect(flow).not.toEqual([]);
  // As in the checkout, but on the test's server and without jq.
  const stand = [
    `export ARKITECT_URL='${server.url}' ARKITECT_TOKEN='${server.token}'`,
    `npx() { shift; '${process.execPath}' '${cliProgram}' "$@"; }`,
    `jq() { '${process.execPath}' -p 'JSON.parse(require("fs").readFileSync(0, "utf8")).id'; }`,
  ];
  const { code, stdout, stderr } = (await shell('bash', ['-euo', 'pipefail', '-c', [...stand, ...flow].join('\n')]))!;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const part of parts) expect(stdout).toMatch(part);
});

test('the launcher runs it in the directory of the caller, and says nothing on stdout', async () => {
  const launcher = join(repository, 'scripts', 'arkitect.mjs');
  const { code, stdout } = (await shell(process.execPath, [launcher, '--version']))!;
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  expect((await shell(process.execPath, [launcher, 'tasks', 'lst']))!.code).toBe(2);
});

/** Asks for the help of every command, all in one process: there are some seventy. */
const helpOfAll = `
  const { run } = await import(${JSON.stringify(pathToFileURL(join(dirname(cliProgram), 'program.js')).href)});
  const write = process.stdout.write.bind(process.stdout);
  const pages = [];
  const walk = async (path) => {
    let text = '';
    process.stdout.write = (part) => Boolean((text += part));
    pages.push({ path: path.join(' '), code: await run([...path, '--help']), text });
    const commands = /\\nCommands:\\n([^]*?)\\n\\n/.exec(text)?.[1] ?? '';
    for (const [, name] of commands.matchAll(/^ {2}([a-z-]+)/gm)) await walk([...path, name]);
  };
  await walk([]);
  write(JSON.stringify(pages));
`;

test('every command has help with examples', async () => {
  const { stdout } = (await shell(process.execPath, ['--input-type=module', '-e', helpOfAll]))!;
  const pages = JSON.parse(stdout) as { path: string; code: number; text: string }[];
  expect(pages.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['', 'tasks create', 'alerts rules list', 'admin audit verify', 'top']),
  );
  for (const { path, code, text } of pages) {
    expect({ path, code }).toEqual({ path, code: 0 });
    expect(text, path).toContain('\nExamples:\n  $ arkitect ');
  }
});
