import type { Command } from 'commander';
import { severities } from '../../alerts/alert.js';
import { ifMatch, segment } from '../api.js';
import { command, paged, runs, Suggesting, type Given } from '../command.js';
import { printList } from '../list.js';
import { addField, addText, json, matcher, merged, number } from '../input.js';
import { fieldList } from '../table.js';
import type { Item } from '../text.js';

const id = '01a203f4-d9ad-763d-a518-7b95654d40e8';

export function addAlertRules(alerts: Command): void {
  const rules = command(alerts, 'rules', 'What raises alerts by itself', ['alerts rules list', `alerts rules pause ${id}`]);
  const list = command(rules, 'list', 'List rules', ['alerts rules list', 'alerts rules list --all --output ndjson']);
  runs(paged(list), (context, given) =>
    printList(context, '/alerts/rules', given, ['id', 'name', 'kind', 'enabled', 'state', 'last_evaluated_at']),
  );
  runs(command(rules, 'get <id>', 'Read a rule', [`alerts rules get ${id}`]), async ({ api, print }, _given, id) => {
    print.item(await api.get(`/alerts/rules/${segment(id)}`));
  });
  const create = command(rules, 'create <name>', 'Create a rule', [
    'alerts rules create QueueTooLong --metric arkitect_tasks --where status=queued --threshold 1000 --for-seconds 300',
    'alerts rules create NoReports --kind expectation --spec @expectation.json',
  ]);
  runs(
    specOptions(create).option('--disabled', 'not evaluated until it is resumed'),
    async ({ api, print }, { disabled, ...given }, name) => {
      print.item(await api.post('/alerts/rules', { name, ...definition(given), enabled: disabled ? false : undefined }));
    },
  );
  for (const [action, summary] of [
    ['pause', 'Evaluate it no more; its alerts end'],
    ['resume', 'Evaluate it again'],
  ] as const) {
    runs(command(rules, `${action} <id>`, summary, [`alerts rules ${action} ${id}`]), async ({ api, print }, _given, id) => {
      print.item(await api.post(`/alerts/rules/${segment(id)}/${action}`));
    });
  }
  const remove = command(rules, 'delete <id>', 'Delete a rule', [`alerts rules delete ${id}`]);
  runs(remove.option('--if-version <n>', 'only if this is its version'), async ({ api, print }, { if_version }, id) => {
    await api.call('DELETE', `/alerts/rules/${segment(id)}`, { headers: ifMatch(if_version) });
    print.done(`Rule ${id} is deleted.`);
  });
  addTest(rules);
}

function addTest(rules: Command): void {
  const test = command(rules, 'test [id]', 'What a rule would have done: a stored one, or one of these settings', [
    `alerts rules test ${id} --from 2026-11-26T08:00:00Z`,
    'alerts rules test --metric arkitect_tasks --where status=queued --threshold 1000',
  ]);
  specOptions(test).option('--from <time>', 'from this time on').option('--to <time>', 'until this time');
  runs(test, async ({ api, print }, { from, to, ...given }, id) => {
    const path = id === undefined ? '/alerts/rules/test' : `/alerts/rules/${segment(id)}/test`;
    const body = id === undefined ? definition(given) : undefined;
    const answer = await api.post(path, body, { query: { from, to } });
    print.value(answer, () => {
      const { firings, ...summary } = answer;
      const raised = firings as Item[];
      return [
        ...fieldList(Object.entries(summary)),
        ...(raised.length ? ['', ...print.table(raised, ['from', 'to', 'peak', 'labels'])] : []),
      ];
    });
  });
}

/** The most used settings of a threshold have options of their own. */
function specOptions(command: Command): Command {
  return command
    .addOption(new Suggesting('--kind <kind>', 'what it is', ['threshold', 'expectation']))
    .option('--spec <json>', 'all settings: JSON, @file, or @- for stdin', json)
    .option('--set <key=value>', 'one setting; repeat it for more', addField)
    .option('--metric <metric>', 'which metric ("metrics names" lists them)')
    .option('--where <label=value>', 'which of its series; also with !=, =~ and !~; repeat it for more', addText)
    .option('--threshold <number>', 'the limit', number)
    .addOption(new Suggesting('--comparator <comparator>', 'how they are compared', ['>', '>=', '<', '<=']))
    .option('--for-seconds <n>', 'how long it must hold', number)
    .addOption(new Suggesting('--severity <severity>', 'of its alerts', severities));
}

function definition({ kind, spec, set, where, ...settings }: Given): Item {
  const matchers = (where as string[] | undefined)?.map(matcher);
  const parts = { ...settings, ...(matchers && { matchers }), ...(set as Item | undefined) };
  return { kind, spec: merged(spec, spec !== undefined && !Object.keys(parts).length ? undefined : parts) };
}
