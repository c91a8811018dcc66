import type { Command } from 'commander';
import { severities } from '../../alerts/alert.js';
import { ifMatch } from '../api.js';
import { command, runs, Suggesting } from '../command.js';
import { addLabel, json } from '../input.js';
import type { Printer } from '../print.js';
import { fieldList } from '../table.js';
import { matchersText, type Item } from '../text.js';

export function addAlertRoutes(alerts: Command): void {
  const routes = command(alerts, 'routes', 'Which alerts go to which channels', ['alerts routes get', 'alerts routes put @routes.json']);
  const get = command(routes, 'get', 'Read the routes', ['alerts routes get', 'alerts routes get --output json > routes.json']);
  runs(get, async ({ api, print }) => printRouting(print, await api.get('/alerts/routes')));
  const put = command(routes, 'put <json>', 'Replace the routes by JSON, @file, or @- for stdin', [
    'alerts routes put @routes.json',
    'alerts routes put @routes.json --if-version 3',
  ]).option('--if-version <n>', 'only if this is the version now');
  runs(put, async ({ api, print }, { if_version }, text) => {
    const answer = await api.call('PUT', '/alerts/routes', { body: withoutAnswers(json(text ?? '')), headers: ifMatch(if_version) });
    printRouting(print, answer ?? {});
  });
  const test = command(routes, 'test', 'Which way an alert would take', [
    'alerts routes test --name BackupFailed --severity critical --label host=db-1',
  ])
    .option('--name <name>', 'its name')
    .addOption(new Suggesting('--severity <severity>', 'its severity', severities))
    .option('--source <source>', 'its source')
    .option('--label <key=value>', 'a label; repeat it for more', addLabel);
  runs(test, async ({ api, print }, { label, ...fields }) => {
    const way = await api.post('/alerts/routes/test', { ...fields, labels: label });
    print.value(way, () => {
      const { routes, ...rest } = way;
      return [
        ...print.table(routes as Item[], ['route', 'channels', 'group_labels', 'group_wait_seconds']),
        '',
        ...fieldList(Object.entries(rest)),
      ];
    });
  });
}

function printRouting(print: Printer, routing: Item): void {
  print.value(routing, () => {
    const { routes, default_route, ...rest } = routing;
    const all = [...(routes as Item[]), { name: '(default)', ...(default_route as Item) }];
    const columns = [
      'name',
      { title: 'matchers', value: ({ matchers }: Item) => matchersText(matchers) },
      { title: 'channels', value: channelsOf },
      'continue',
      'repeat_interval_seconds',
    ];
    return [...print.table(all, columns), '', ...fieldList(Object.entries(rest))];
  });
}

function channelsOf({ channels }: Item): unknown {
  return channels === null ? 'all' : channels;
}

/** What `routes get` has printed can be edited and put back: the fields that only answers have are left out. */
function withoutAnswers(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const { version: _version, updated_at: _at, updated_by: _by, ...routing } = body as Item;
  return routing;
}
