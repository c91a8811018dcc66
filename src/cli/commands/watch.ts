import type { Command } from 'commander';
import { severities } from '../../alerts/alert.js';
import { taskPriorities, taskStatuses } from '../../tasks/task.js';
import { command, runs, Suggesting, type Given } from '../command.js';
import type { Context } from '../context.js';
import { eventText } from '../event-line.js';
import { UsageError } from '../failures.js';
import { addText, number } from '../input.js';
import { follow, type Feed } from '../live.js';

export function addWatch(program: Command): void {
  const watch = command(program, 'watch [what...]', 'Print what happens to tasks and alerts (default: both) as it happens', [
    'watch',
    'watch tasks --type sleep --status completed,failed',
    'watch alerts --severity critical --output ndjson',
    'watch tasks --since 4711 --count 10',
  ])
    .addOption(new Suggesting('--status <statuses>', 'tasks in one of these states', taskStatuses))
    .option('--type <types>', 'tasks of one of these types')
    .option('--queue <queues>', 'tasks in one of these queues')
    .addOption(new Suggesting('--priority <priorities>', 'tasks of one of these priorities', taskPriorities))
    .addOption(new Suggesting('--severity <severities>', 'alerts of one of these severities', severities))
    .option('--name <names>', 'with one of these names')
    .option('--label <key=value>', 'with this label; repeat it for more, which must all hold', addText)
    .option('--since <seq>', 'also what has happened after this number', number)
    .option('--count <n>', 'end after so many events', countOf);
  runs(watch, async (context, { count, ...filters }, ...what) => {
    const feeds = feedsOf(what.length ? what : ['tasks', 'alerts'], filters);
    await print(context, feeds, count === undefined ? Number.POSITIVE_INFINITY : Number(count));
  });
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new UsageError(`--count must be a whole number from 1 on; it is "${text}".`);
}

/** Filters that only tasks, or only alerts, have. */
const own = { tasks: ['status', 'type', 'queue', 'priority'], alerts: ['severity'] } as const;

function feedsOf(what: string[], filters: Given): Feed[] {
  const unknown = what.find((name) => !(name in own));
  if (unknown !== undefined) throw new UsageError(`There is no "${unknown}" to watch, only tasks and alerts.`);
  // A filter of tasks leaves alerts out, and the other way round.
  const wanted = (['tasks', 'alerts'] as const).filter((name) => what.includes(name));
  const fitting = wanted.filter((name) => wanted.every((other) => other === name || !own[other].some((key) => key in filters)));
  const feeds = fitting.length ? fitting : wanted;
  return feeds.map((namespace) => ({ namespace, filters: withLists(filters) }));
}

/** Socket.IO takes lists, where REST takes commas. */
function withLists(filters: Given): Given {
  return Object.fromEntries(
    Object.entries(filters).map(([key, value]) => [key, typeof value === 'string' ? value.split(',').map((each) => each.trim()) : value]),
  );
}

async function print({ api, print }: Context, feeds: Feed[], count: number): Promise<void> {
  let left = count;
  const stop = new AbortController();
  await follow(api, feeds, {
    signal: stop.signal,
    event(event) {
      if (left <= 0) return;
      print.happened(event, eventText(event));
      if (--left <= 0) stop.abort();
    },
    remark: (sentence) => print.remark(sentence),
  });
}
