import type { Command } from 'commander';
import { command, runs } from '../command.js';
import { Refused, type Problem } from '../failures.js';
import { display, type Item } from '../text.js';

export function addHealth(program: Command): void {
  const health = command(program, 'health', 'Whether the server can take traffic; exit code 1 when it cannot', [
    'health',
    'health --output json',
  ]);
  runs(health, async ({ api, print }) => {
    const response = await api.send('GET', '/health/ready', {}, AbortSignal.timeout(30_000));
    const answer = (await response
      .clone()
      .json()
      .catch(() => ({}))) as Item;
    const probes = Object.entries((answer.details ?? {}) as Record<string, Item>);
    if (probes.length || response.ok) {
      print.value(answer, () => [
        `status  ${display(answer.status === 503 ? 'down' : answer.status)}`,
        '',
        ...print.table(
          probes.map(([name, probe]) => ({ name, ...probe })),
          ['name', 'status', 'message'],
        ),
      ]);
    }
    if (response.ok) return;
    throw answer.code ? new Refused(answer as unknown as Problem) : await api.refusal(response);
  });
}
