import type { Command } from 'commander';
import { ifMatch, segment } from '../api.js';
import { command, paged, runs, Suggesting } from '../command.js';
import { printList } from '../list.js';
import { duration, matcher } from '../input.js';
import { matchersText, type Item } from '../text.js';

const id = '01a203f4-d9ad-763d-a518-7b95654d40e8';

export function addAlertSilences(alerts: Command): void {
  const silences = command(alerts, 'silences', 'Which alerts nobody is told of', [
    'alerts silences list --status active',
    'alerts silences add host=db-1 --for 2h --comment "The database moves."',
  ]);
  const list = command(silences, 'list', 'List silences', ['alerts silences list', 'alerts silences list --status active,pending']);
  list.addOption(new Suggesting('--status <statuses>', 'in one of these states', ['pending', 'active', 'expired']));
  runs(paged(list), (context, given) => {
    const columns = [
      'id',
      'status',
      { title: 'matchers', value: ({ matchers }: Item) => matchersText(matchers) },
      'ends_at',
      'author',
      'comment',
    ];
    return printList(context, '/alerts/silences', given, columns);
  });
  const add = command(silences, 'add <matchers...>', 'Silence the alerts that all of these match', [
    'alerts silences add alertname=BackupFailed --for 2h --comment "The database moves."',
    'alerts silences add host=~db-.* severity!=critical --ends-at 2026-12-01T08:00:00Z --comment Maintenance',
  ])
    .option('--for <duration>', 'how long from now on, or from --starts-at on: 90s, 15m, 2h, 7d', duration)
    .option('--starts-at <time>', 'when it begins')
    .option('--ends-at <time>', 'when it ends')
    .option('--comment <text>', 'why')
    .option('--author <name>', 'who wants it');
  runs(add, async ({ api, print }, { for: seconds, ...fields }, ...matchers) => {
    const ends_at = fields.ends_at ?? endOf(fields.starts_at, seconds);
    print.item(await api.post('/alerts/silences', { ...fields, ends_at, matchers: matchers.map(matcher) }));
  });
  const expire = command(silences, 'expire <id>', 'End a silence now', [`alerts silences expire ${id}`]);
  runs(expire.option('--if-version <n>', 'only if this is its version'), async ({ api, print }, { if_version }, id) => {
    await api.call('DELETE', `/alerts/silences/${segment(id)}`, { headers: ifMatch(if_version) });
    print.done(`Silence ${id} has ended.`);
  });
}

/** Undefined where there is nothing to compute it from: the server says what it needs. */
function endOf(start: unknown, seconds: unknown): string | undefined {
  const begin = typeof start === 'string' ? Date.parse(start) : Date.now();
  const end = new Date(begin + Number(seconds) * 1_000);
  return Number.isNaN(end.getTime()) ? undefined : end.toISOString();
}
