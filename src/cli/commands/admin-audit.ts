import type { Command } from 'commander';
import { command, paged, runs } from '../command.js';
import { downloadTo, printLines } from '../download.js';
import { Refused } from '../failures.js';
import { timeOrAgo } from '../input.js';
import { printList } from '../list.js';
import { sections } from '../sections.js';

const columns = ['seq', 'at', 'principal', 'operation', 'outcome', 'target', 'door'];

export function addAdminAudit(admin: Command): void {
  const audit = command(admin, 'audit', 'Who has changed what', [
    'admin audit --operation config.write --since 1d',
    'admin audit verify',
    'admin audit export --file audit.ndjson',
  ]);
  const list = command(
    audit,
    'list',
    'List records, newest first',
    ['admin audit', 'admin audit list --principal root --outcome FORBIDDEN --all --output ndjson'],
    true,
  );
  runs(paged(filtered(list)), (context, given) => printList(context, '/admin/audit', given, columns));

  const verify = command(audit, 'verify', 'Whether every record is as it was written; exit code 1 when one is not', [
    'admin audit verify',
    'admin audit verify --head "$(cat kept-head)"',
  ]).option('--head <head>', 'the "head" of an earlier answer, kept elsewhere: that record must still be there');
  runs(verify, async ({ api, print }, query) => {
    const answer = await api.call('GET', '/admin/audit/verify', { query, waitSeconds: 600 });
    print.value(answer, () => sections(print, answer ?? {}));
    const { valid, problem } = answer as { valid: boolean; problem?: { kind: string; detail: string } | null };
    if (valid) return;
    throw new Refused({ code: 'AUDIT_NOT_VALID', title: 'The audit log is not as it was written', detail: problem?.detail ?? '' });
  });

  const save = command(audit, 'export', 'All records as lines of JSON, oldest first', [
    'admin audit export > audit.ndjson',
    'admin audit export --since 30d --file audit.ndjson',
  ])
    .option('--after <seq>', 'only those after this one')
    .option('--file <file>', 'into this file, which only you can read');
  runs(filtered(save), async ({ api, print }, { file, ...query }) => {
    if (typeof file !== 'string') return printLines(api, '/admin/audit/export', query);
    await downloadTo(file, api, '/admin/audit/export', query);
    print.done(`${file} is written.`);
  });
}

function filtered(command: Command): Command {
  return command
    .option('--principal <name>', 'by this one')
    .option('--operation <operation>', 'what was done, such as config.write')
    .option('--target <id>', 'to what')
    .option('--door <door>', 'by which door')
    .option('--outcome <outcome>', '"ok", or the code of a refusal')
    .option('--request-id <id>', 'with this request (its header x-request-id)')
    .option('--since <time>', 'from this time on, or so long ago: 90s, 15m, 2h, 7d', timeOrAgo)
    .option('--until <time>', 'before this time, or before so long ago', timeOrAgo);
}
