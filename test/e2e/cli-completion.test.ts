import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cliFor, shell } from '../support/cli.js';
import { buildServer } from '../support/server-process.js';

let directory: string;
const script = (name: string) => join(directory, name);
beforeAll(async () => {
  buildServer();
  directory = mkdtempSync(join(tmpdir(), 'arkitect-completion-'));
  for (const name of ['bash', 'zsh', 'fish']) writeFileSync(script(name), (await cliFor({})('completion', name)).stdout);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const cases: [line: string, expected: string[]][] = [
  ['arkitect wat', ['watch']],
  ['arkitect alerts rules l', ['list']],
  ['arkitect --output json tasks exec', ['execute']],
  ['arkitect tasks list --status compl', ['completed']],
  ['arkitect tasks create x --prio', ['--priority']],
  ['arkitect -o nd', ['ndjson']],
];

test.each(cases)('bash completes "%s"', async (line, expected) => {
  expect(await shell('bash', ['-n', script('bash')])).toMatchObject({ code: 0, stderr: '' });
  const words = line.split(' ');
  const call = `source '${script('bash')}'; COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _arkitect; printf '%s\\n' "\${COMPREPLY[@]}"`;
  expect(await shell('bash', ['-c', call])).toMatchObject({ stdout: `${expected.join('\n')}\n`, stderr: '' });
});

test.each(cases)('fish completes "%s"', async (line, expected) => {
  const answer = await shell('fish', ['--no-config', '-c', `source '${script('fish')}'; complete -C '${line}'`]);
  if (!answer) return;
  expect(answer.stderr).toBe('');
  expect(
    answer.stdout
      .trim()
      .split('\n')
      .map((each) => each.split('\t')[0]),
  ).toEqual(expected);
});

test('zsh accepts its script', async () => {
  const answer = await shell('zsh', [
    '-f',
    '-c',
    `autoload -U compinit; compinit -D; source '${script('zsh')}'; _arkitect_words 'alerts silences'; echo $_comps[arkitect]`,
  ]);
  if (answer) expect(answer).toMatchObject({ code: 0, stderr: '', stdout: 'list add expire\n_arkitect\n' });
});

test('completion says which shells there are', async () => {
  expect(await cliFor({})('completion', 'tcsh')).toMatchObject({ code: 2, stderr: expect.stringContaining('bash, zsh, fish') });
});
