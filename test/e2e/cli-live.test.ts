import { spawn, type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { cliFor, cliProgram, shell, type Cli, type RunningCli } from '../support/cli.js';
import { HandWorker } from '../support/hand-worker.js';
import { buildServer } from '../support/server-process.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
let cli: Cli;
let env: Record<string, string>;
beforeAll(async () => {
  buildServer();
  server = await startTestServer();
  env = { ARKITECT_URL: server.url, ARKITECT_TOKEN: server.token };
  cli = cliFor(env);
});
afterAll(() => server.close());

function started(...args: string[]): RunningCli {
  const running = cli.start(...args);
  onTestFinished(() => void running.child.kill('SIGKILL'));
  return running;
}

test('watch tells of tasks and alerts as it happens', async () => {
  const watch = started('watch');
  await until('both are watched', () => watch.stderr().includes('Watching tasks') && watch.stderr().includes('Watching alerts'));
  const { body: task } = await server.api('POST', '/tasks', { name: 'watched', start: 'auto' });
  const { body: alert } = await server.api('POST', '/alerts', { name: 'Watched', severity: 'critical' });
  await until('events are printed', () => watch.stdout().includes('task_completed') && watch.stdout().includes('alert_created'));
  expect(watch.stdout()).toMatch(new RegExp(`^\\d\\d:\\d\\d:\\d\\d  task_completed +${task.id}  watched$`, 'm'));
  expect(watch.stdout()).toMatch(new RegExp(`^\\d\\d:\\d\\d:\\d\\d  alert_created +${alert.id}  critical  Watched$`, 'm'));
});

test('watch filters, resumes from a number, and ends after so many events', async () => {
  const { seq: since } = (await cli.json('tasks', 'events', (await cli.json('tasks', 'create', 'first')).id)).items[0];
  await server.api('POST', '/tasks', { name: 'other', type: 'echo', queue: 'unwatched' });
  const { body: wanted } = await server.api('POST', '/tasks', { name: 'wanted', queue: 'watched' });
  const { code, stdout } = await cli('watch', 'tasks', '--queue', 'watched', '--since', String(since), '--count', '1', '-o', 'ndjson');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ action: 'task_created', id: wanted.id, queue: 'watched' });
});

test('watch is refused with the words of the API', async () => {
  expect(await cli('watch', '--token', 'wrong')).toMatchObject({ code: 1, stderr: expect.stringContaining('UNAUTHENTICATED: This token') });
  expect(await cli('watch', 'tasks', '--status', 'sleepy')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/VALIDATION_FAILED.*\n {2}status: /),
  });
});

test('events -f prints what happens until the task has ended', async () => {
  const { body: task } = await server.api('POST', '/tasks', { name: 'followed', type: 'sleep', parameters: { seconds: 1 } });
  const follow = started('tasks', 'events', task.id, '-f');
  await until('the creation is printed', () => follow.stdout().includes('task_created'));
  await server.api('POST', `/tasks/${task.id}/execute`);
  expect(await follow.exited).toBe(0);
  expect(follow.stdout()).toContain('task_completed');
});

test('logs -f prints each line once, as it is logged, and ends with the task', async () => {
  const other = await startTestServer({ RUNNER_SLOTS: '0' });
  onTestFinished(() => other.close());
  const worker = new HandWorker(other);
  const { body: task } = await other.api('POST', '/tasks', { name: 'logged', start: 'auto', max_attempts: 2 });
  const attempt = await worker.claim(task.id);
  await worker.log(attempt, 'one', 'two');
  const follow = started('tasks', 'logs', task.id, '-f', '--url', other.url, '--token', other.token);
  await until('what was there is printed', () => follow.stdout().includes(' two '));
  await worker.log(attempt, 'three\u001b[31m');
  await until('what is new is printed', () => follow.stdout().includes(' three'));
  await worker.log(attempt, 'four');
  await worker.complete(attempt);
  expect(await follow.exited).toBe(0);
  const lines = follow.stdout().trim().split('\n');
  expect(lines.map((line) => / INFO {2}(\w+)/.exec(line)?.[1])).toEqual(['one', 'two', 'three', 'four']);
  expect(follow.stdout()).not.toContain('\u001b');
});

test('top prints one picture of 80 columns without a terminal', async () => {
  await server.api('POST', '/tasks?wait=30', { name: 'seen', queue: 'seen-by-top', start: 'auto' });
  const { code, stdout } = await cliFor({ ...env, COLUMNS: '80' })('top');
  expect(code).toBe(0);
  for (const part of ['arkitect top', 'CPU [', 'TASKS', 'ALERTS', 'WORKERS', 'QUEUE', 'seen-by-top']) expect(stdout).toContain(part);
  for (const line of stdout.split('\n')) expect([...line].length, line).toBeLessThanOrEqual(80);
  // oxlint-disable-next-line no-control-regex
  expect(stdout).not.toMatch(/\u001b/);
});

/** A command on a terminal of its own of 80 columns and 24 lines, made by script(1). */
function terminal(command: string, more: Record<string, string> = {}): { child: ChildProcess; printed(): string } {
  const program = `stty cols 80 rows 24; bash -c 'echo pid $$; exec "${process.execPath}" "${cliProgram}" ${command}'; echo left with $?`;
  const child = spawn('script', ['-qec', program, '/dev/null'], { env: { PATH: process.env.PATH, TERM: 'xterm', ...env, ...more } });
  onTestFinished(() => void child.kill('SIGKILL'));
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  return { child, printed: () => printed };
}

/** What `top` printed, after `leave` had its way with it. */
async function onTerminal(leave: (child: ChildProcess, pid: number) => void, more: Record<string, string> = {}): Promise<string> {
  const { child, printed } = terminal('top', more);
  const pid = await until('top has drawn', () => printed().includes('WORKERS') && Number(/pid (\d+)/.exec(printed())?.[1]));
  leave(child, pid);
  await until('top has left', () => printed().includes('left with'));
  return printed();
}

const hasScript = (await shell('script', ['--version'])) !== undefined;
const picture = /\u001b\[\?1049h\u001b\[\?25l[^]*arkitect top[^]*\u001b\[\?25h\u001b\[\?1049l/;

test.skipIf(!hasScript)('top draws on a screen of its own and gives the terminal back when q is typed', async () => {
  const printed = await onTerminal((child) => child.stdin?.write('q'));
  expect(printed).toMatch(picture);
  expect(printed).toContain('\u001b[1m');
  expect(printed).toContain('left with 0');
});

test.skipIf(!hasScript)('top gives the terminal back at a signal, too, and has no colours with NO_COLOR', async () => {
  const printed = await onTerminal((_child, pid) => process.kill(pid, 'SIGTERM'), { NO_COLOR: '1' });
  expect(printed).toMatch(picture);
  expect(printed).not.toContain('\u001b[1m');
  expect(printed).toContain('left with 143');
});

test.skipIf(!hasScript)('on 80 columns lists and events keep ids whole, and say what is wrong on a second line', async () => {
  const name = 'a nightly report with a name that goes on and on';
  const parameters = { url: 'http://10.0.0.1/' };
  const { body: task } = await server.api('POST', '/tasks?wait=30', { name, type: 'http.request', parameters, start: 'auto' });
  const commands = [
    'tasks list --limit 3',
    'config get',
    'alerts rules list',
    'watch tasks --type http.request --status failed --since 0 --count 1',
  ];
  const outputs = await Promise.all(
    commands.map(async (command) => {
      const { printed } = terminal(command);
      await until('it has ended', () => printed().includes('left with 0'));
      return printed().split(/\r?\n/);
    }),
  );
  for (const line of outputs.flat()) expect([...line].length, line).toBeLessThanOrEqual(80);
  expect(outputs[0]!.find((line) => line.startsWith(task.id))).toMatch(/ {2}a nightly report… {2}http\.request {2}failed$/);
  const at = outputs[3]!.findIndex((line) => line.includes(`  task_failed    ${task.id}  a nightly`));
  expect(outputs[3]![at + 1]).toMatch(/^ {10}ADDRESS_REFUSED: /);
});
