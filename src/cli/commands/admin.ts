import type { Command } from 'commander';
import { command, runs } from '../command.js';
import { Refused } from '../failures.js';
import { sections } from '../sections.js';
import { display, type Item } from '../text.js';
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
  const health = command(admin, 'health', 'All that the server stands on, with latency and reason; exit code 1 when something is down', [
    'admin health',
  ]);
  runs(health, async ({ api, print }) => {
    const answer = await api.get('/admin/health');
    print.value(answer, () => sections(print, answer));
    const down = (answer.dependencies as Item[]).filter(({ status }) => status === 'down');
    if (down.length === 0) return;
    const detail = down.map(({ name, reason }) => `${display(name)}: ${display(reason)}`).join(' ');
    throw new Refused({ code: 'UNAVAILABLE', title: 'Something that the server needs is down', detail });
  });
  addAdminActions(admin);
  addAdminAudit(admin);
}
