import type { Command } from 'commander';
import { alertStatuses, severities } from '../../alerts/alert.js';
import { segment } from '../api.js';
import { command, paged, runs, Suggesting } from '../command.js';
import { printList } from '../list.js';
import { addLabel, addText, number } from '../input.js';
import { fieldList } from '../table.js';
import { addAlertChannels } from './alert-channels.js';
import { addAlertRoutes } from './alert-routes.js';
import { addAlertRules } from './alert-rules.js';
import { addAlertSilences } from './alert-silences.js';

const id = '01a203f4-d9ad-763d-a518-7b95654d40e8';

export function addAlerts(program: Command): void {
  const alerts = command(program, 'alerts', 'Alerts, their rules, channels, silences and routes', [
    'alerts list --status open',
    `alerts ack ${id} --minutes 60 --note "Looking into it."`,
    'alerts rules list',
  ]);
  addReading(alerts);
  addRaise(alerts);
  addAnswers(alerts);
  addAlertRules(alerts);
  addAlertChannels(alerts);
  addAlertSilences(alerts);
  addAlertRoutes(alerts);
}

function addReading(alerts: Command): void {
  const list = command(alerts, 'list', 'List alerts, newest first', [
    'alerts list --status open,acknowledged --severity critical',
    'alerts list --label host=db-1 --output json',
  ])
    .addOption(new Suggesting('--status <statuses>', 'in one of these states', alertStatuses))
    .addOption(new Suggesting('--severity <severities>', 'of one of these severities', severities))
    .option('--source <sources>', 'found by one of these')
    .option('--name <names>', 'with one of these names')
    .option('--label <key=value>', 'with this label; repeat it for more, which must all hold', addText);
  runs(paged(list), (context, given) => printList(context, '/alerts', given, ['id', 'severity', 'status', 'name', 'labels', 'started_at']));
  runs(command(alerts, 'get <id>', 'Read an alert', [`alerts get ${id}`]), async ({ api, print }, _given, id) => {
    print.item(await api.get(`/alerts/${segment(id)}`));
  });
  const history = command(alerts, 'history <id>', 'List what has happened to an alert', [`alerts history ${id}`]);
  runs(paged(history), (context, given, id) => printList(context, `/alerts/${segment(id)}/history`, given, ['at', 'action', 'by', 'note']));
  const stats = command(alerts, 'stats', 'Count alerts', ['alerts stats', 'alerts stats --days 7']);
  runs(stats.option('--days <n>', 'alerts of so many days'), async ({ api, print }, query) => {
    const { noisiest, ...counts } = await api.get('/alerts/stats', query);
    print.value({ ...counts, noisiest }, () => {
      const noisy = (noisiest as { name: string; count: number }[]).map(({ name, count }) => `${name} (${count})`);
      const [status, severity] = [counts.by_status, counts.by_severity].map((each) => countsOf(each));
      return fieldList(Object.entries({ ...counts, by_status: status, by_severity: severity, noisiest: noisy }));
    });
  });
}

function countsOf(counts: unknown): string[] {
  return Object.entries(counts as Record<string, number>).map(([name, count]) => `${name} ${count}`);
}

function addRaise(alerts: Command): void {
  const raise = command(alerts, 'raise <name>', 'Raise an alert; the same name and labels are the same alert', [
    'alerts raise BackupFailed --severity critical --label host=db-1',
    'alerts raise DiskFull --annotation summary="Less than 5 % left." --expires-in-seconds 3600',
  ])
    .addOption(new Suggesting('--severity <severity>', 'how much it matters', severities))
    .option('--source <source>', 'who has found it')
    .option('--label <key=value>', 'a label; repeat it for more', addLabel)
    .option('--annotation <key=value>', 'what people should know; repeat it for more', addLabel)
    .option('--runbook-url <url>', 'where to read what to do')
    .option('--value <number>', 'what was measured', number)
    .option('--expires-in-seconds <n>', 'when it ends by itself', number);
  runs(raise, async ({ api, print }, { label, annotation, ...fields }, name) => {
    print.item(await api.post('/alerts', { name, ...fields, labels: label, annotations: annotation }));
  });
}

function addAnswers(alerts: Command): void {
  const acknowledge = command(alerts, 'ack <id>', 'Acknowledge an alert: somebody takes care of it', [
    `alerts ack ${id}`,
    `alerts ack ${id} --minutes 60 --note "Looking into it."`,
  ]).alias('acknowledge');
  acknowledge.option('--minutes <n>', 'after which it is open again', number).option('--note <text>', 'for its history');
  runs(acknowledge, async ({ api, print }, body, id) => {
    print.item(await api.post(`/alerts/${segment(id)}/acknowledge`, body));
  });
  const resolve = command(alerts, 'resolve <id>', 'End an alert', [`alerts resolve ${id} --note "Disk replaced."`]);
  runs(resolve.option('--note <text>', 'for its history'), async ({ api, print }, body, id) => {
    print.item(await api.post(`/alerts/${segment(id)}/resolve`, body));
  });
}
