import type { Command } from 'commander';
import { command, runs } from '../command.js';
import { Refused, type Problem } from '../failures.js';
import { sections } from '../sections.js';
import type { Item } from '../text.js';
import { addAdminActions } from './admin-actions.js';
import { addAdminAudit } from './admin-audit.js';

export function addAdmin(program: Command): void {
  const admin = command(program, 'admin', 'What admins see and do; needs the token of an admin', [
    'admin system',
    'admin run purge_tasks --param \'status=["completed"]\' --dry-run',
    'admin audit --principal root --since 1d',
  ]);
  runs(command(admin, 'system', 'The server, its replicas and its database', ['admin system']), async ({ api, print }) => {
    const answer = await api.get('/admin/system');
    print.value(answer, () => sections(print, answer));
  });
  const health = command(admin, 'health', 'All checks of the health with their details; exit code 1 when one has failed', ['admin health']);
  runs(health, async ({ api, print }) => {
    const response = await api.send('GET', '/admin/health', {}, AbortSignal.timeout(30_000));
    const answer = (await response
      .clone()
      .json()
      .catch(() => ({}))) as Item;
    if (response.ok || answer.details) print.value(answer, () => sections(print, answer));
    if (!response.ok) throw answer.code ? new Refused(answer as unknown as Problem) : await api.refusal(response);
  });
  addAdminActions(admin);
  addAdminAudit(admin);
}
