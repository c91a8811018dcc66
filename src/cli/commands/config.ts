import type { Command } from 'commander';
import { ifMatch, segment } from '../api.js';
import { command, paged, runs, type Given } from '../command.js';
import { awaitEverywhere, replicaTable, stillMissing } from '../config-wait.js';
import { changeText, knownKeys, settingText } from '../config-text.js';
import type { Context } from '../context.js';
import { addLabel, duration, waitSeconds } from '../input.js';
import { printList } from '../list.js';
import { fieldList, filled, type Column } from '../table.js';
import { display, type Item } from '../text.js';

export function addConfig(program: Command): void {
  const config = command(program, 'config', 'Settings of the cluster, and changes of them while it runs', [
    'config get LOG_LEVEL RUNNER_SLOTS',
    'config set LOG_LEVEL=debug --reason "Lost webhooks" --expires-in 15m',
    'config history',
  ]);
  addReading(config);
  addChanging(config);
  addVersions(config);
}

const value = (field: string, title = field): Column => ({ title, value: (item) => settingText(item[field]) });

const settingColumns: Column[] = [
  'key',
  { title: 'value', value: valueText },
  'source',
  { title: 'note', value: (setting) => [restartOf(setting), madeBy(setting), hiddenBy(setting)].filter(Boolean).join('; ') },
];

function valueText({ secret, has_value, value }: Item): string {
  return secret && has_value ? '(secret)' : settingText(value);
}

function restartOf({ restart_needed, running_value }: Item): string | undefined {
  return restart_needed ? `needs a restart, runs with ${settingText(running_value)}` : undefined;
}

function madeBy({ version, set_by, expires_at }: Item): string | undefined {
  if (version === null) return undefined;
  return `${expires_at ? `until ${display(expires_at)}, ` : ''}version ${display(version)} by ${display(set_by)}`;
}

/** What weaker sources say. */
function hiddenBy({ hides, value }: Item): string | undefined {
  const others = (hides as Item[]).filter((other) => other.value !== null && settingText(other.value) !== settingText(value));
  return others.length ? `hides ${others.map((other) => `${settingText(other.value)} (${String(other.source)})`).join(', ')}` : undefined;
}

function settingFields(setting: Item): [string, unknown][] {
  const { key, source, version, set_by, set_at, expires_at, restart_needed, running_value, hides } = setting;
  return [
    ...Object.entries({ key, value: valueText(setting), source, version, set_by, set_at, expires_at, restart_needed }),
    ['running_value', settingText(running_value)],
    ['hides', (hides as Item[]).map((other) => `${settingText(other.value)} (${String(other.source)})`)],
  ];
}

function addReading(config: Command): void {
  const get = command(config, 'get [keys...]', 'Read settings: what holds, and which source says so', [
    'config get',
    'config get LOG_LEVEL',
    'config get --changed --output json',
  ]).option('--changed', 'only what does not come from the defaults');
  runs(get, async ({ api, print }, { changed }, ...keys) => {
    const answer = await api.get('/config');
    const all = answer.settings as Item[];
    const asked = knownKeys(
      keys,
      all.map(({ key }) => String(key)),
    );
    const settings = all.filter(({ key, source }) => (!keys.length || asked.includes(String(key))) && !(changed && source === 'default'));
    if (print.output === 'json') return print.value({ ...answer, settings }, () => []);
    if (print.output === 'table' && keys.length === 1)
      return print.value({}, () => settings.flatMap((each) => fieldList(settingFields(each))));
    print.page({ items: settings }, filled(settingColumns, settings, ['key', 'value', 'source']));
  });
  const schema = command(config, 'schema [keys...]', 'What settings mean, what they accept and when a change takes effect', [
    'config schema',
    'config schema RUNNER_SLOTS',
    'config schema --output json',
  ]);
  runs(schema, async ({ api, print }, _given, ...keys) => {
    const answer = await api.get('/config/schema');
    const { properties } = answer as { properties: Record<string, Item> };
    const asked = knownKeys(keys, Object.keys(properties));
    const shown = Object.fromEntries(Object.entries(properties).filter(([key]) => !keys.length || asked.includes(key)));
    if (print.output === 'json') return print.value({ ...answer, properties: shown }, () => []);
    const items = Object.entries(shown).map(([key, property]) => ({ key, ...property }));
    if (print.output === 'table' && keys.length === 1) return print.value({}, () => fieldList(schemaFields(items[0]!)));
    print.page({ items }, schemaColumns);
  });
}

/** `env-only`: never changed while it runs. */
const whenChanged = (schema: Item) => (schema['x-scope'] === 'env-only' ? 'env-only' : schema['x-effect']);

const schemaColumns: Column[] = [
  'key',
  value('default'),
  { title: 'change', value: whenChanged },
  { title: 'accepts', value: (schema) => schema['x-accepts'] },
  { title: 'meaning', value: ({ description }) => description },
];

function schemaFields(schema: Item): [string, unknown][] {
  return [
    ['key', schema.key],
    ['default', settingText(schema.default)],
    ['change', whenChanged(schema)],
    ['accepts', schema['x-accepts']],
    ['meaning', schema.description],
  ];
}

function addChanging(config: Command): void {
  const set = command(config, 'set <changes...>', 'Change settings (KEY=VALUE), all of them or none', [
    'config set LOG_LEVEL=debug --reason "Lost webhooks" --expires-in 15m',
    'config set RUNNER_SLOTS=32 LOG_REQUESTS=all --dry-run',
    'config set RUNNER_SLOTS=32 --if-version 3 --wait 10',
  ]).option('--expires-in <duration>', 'after so long it takes itself back: 90s, 15m, 2h, 7d', duration);
  runs(changing(set), (context, { expires_in, ...given }, ...changes) =>
    change(context, '/config', { changes: changes.reduce((all, each) => addLabel(each, all), {}), expires_in_seconds: expires_in }, given),
  );
  const unset = command(config, 'unset <keys...>', 'Take overrides away: what weaker sources say holds again', [
    'config unset LOG_LEVEL',
    'config unset LOG_LEVEL RUNNER_SLOTS --reason "Found it" --wait 10',
  ]);
  runs(changing(unset), (context, given, ...keys) =>
    change(context, '/config', { changes: Object.fromEntries(keys.map((key) => [key, null])) }, given),
  );
  const rollback = command(config, 'rollback <version>', 'Go back to the overrides of a version (0: none), by a new version', [
    'config rollback 3 --reason "Worse than before"',
    'config rollback 0 --dry-run',
  ]);
  runs(changing(rollback), (context, given, version) => change(context, '/config/rollback', { version: numberOf(version) }, given));
}

function changing(command: Command): Command {
  return command
    .option('--reason <text>', 'why, for the history')
    .option('--dry-run', 'only say what would change')
    .option('--if-version <n>', 'only if this is the version now')
    .option('--wait <seconds>', 'until every replica applies it, but no longer than this; exit code 4 when it ends first', waitSeconds);
}

async function change({ api, print }: Context, path: string, body: Item, { if_version, wait, ...given }: Given): Promise<void> {
  const answer = await api.post(path, { ...body, ...given }, { headers: ifMatch(if_version) });
  const waits = wait !== undefined && !answer.dry_run && answer.version !== 0;
  const applied = waits ? await awaitEverywhere(api, Number(answer.version), Number(wait)) : undefined;
  const whole = applied ? { ...answer, replicas: applied.replicas, complete: applied.complete } : answer;
  print.value(whole, () => {
    const { changes: _changes, effects, live_on, restart_on, ...rest } = answer;
    const changed = effects as Item[];
    const columns: Column[] = ['key', value('from'), value('to'), 'takes_effect'];
    return [
      ...(changed.length ? print.table(changed, columns) : ['Nothing changes.']),
      '',
      ...fieldList(Object.entries({ ...rest, ...(applied ? {} : { live_on, restart_on }) })),
      ...(applied ? ['', ...replicaTable(print, applied)] : []),
    ];
  });
  if (applied) stillMissing(applied, Number(wait));
}

/** The server says what it thinks of anything else. */
function numberOf(text = ''): unknown {
  return /^\d+$/.test(text) ? Number(text) : text;
}

function addVersions(config: Command): void {
  const history = command(config, 'history', 'List versions, newest first', ['config history', 'config history --limit 5 --output json']);
  const columns: Column[] = [
    'version',
    'at',
    'by',
    { title: 'changes', value: ({ changes }) => (changes as Item[]).map(changeText).join(' ') },
    { title: 'reason', value: reasonOf },
  ];
  runs(paged(history), (context, given) => printList(context, '/config/history', given, columns));
  const version = command(config, 'version <version>', 'Read a version, and which replicas apply it', [
    'config version 3',
    'config version 3 --wait 30 --output json',
  ]).option('--wait <seconds>', 'until every replica applies it, but no longer than this; exit code 4 when it ends first', waitSeconds);
  runs(version, async ({ api, print }, { wait }, number) => {
    const path = `/config/versions/${segment(number)}`;
    const read = await api.get(path);
    const applied = wait === undefined ? read : await awaitEverywhere(api, Number(number), Number(wait));
    print.value(applied, () => {
      const { changes, overrides, replicas: _replicas, ...rest } = applied;
      const values = Object.entries(overrides as Item).map(([key, each]) => `${key}=${settingText(each)}`);
      return [
        ...fieldList(Object.entries({ ...rest, changes: (changes as Item[]).map(changeText), overrides: values })),
        '',
        ...replicaTable(print, applied),
      ];
    });
    if (wait !== undefined) stillMissing(applied, Number(wait));
  });
}

function reasonOf({ reason, reverted_from, rolled_back_to }: Item): unknown {
  if (typeof reverted_from === 'number') return `version ${reverted_from} has ended`;
  const back = typeof rolled_back_to === 'number' ? `back to ${rolled_back_to}` : undefined;
  return [back, reason].filter(Boolean).join(': ');
}
