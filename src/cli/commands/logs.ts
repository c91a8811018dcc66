import { styleText } from 'node:util';
import { Option, type Command } from 'commander';
import { command, runs, Suggesting, type Given } from '../command.js';
import type { Context } from '../context.js';
import { eventStream } from '../event-stream.js';
import { Refused, Unreachable } from '../failures.js';
import { timeOrAgo } from '../input.js';
import { display, type Item } from '../text.js';

const retryMs = 2_000;
const styles: Record<string, 'red' | 'yellow' | 'dim' | undefined> = {
  fatal: 'red',
  error: 'red',
  warn: 'yellow',
  debug: 'dim',
  trace: 'dim',
};

export function addLogs(program: Command): void {
  const logs = command(program, 'logs', 'The log of all replicas, oldest line first', [
    'logs --level warn --since 15m',
    'logs -f --text redis',
    'logs --request-id 6f1b3c1e-5a0d-4a59-9c7f-0a8d1f7f1e52 --output ndjson',
  ])
    .option('-f, --follow', 'and what is logged from now on')
    .addOption(new Suggesting('--level <level>', 'this severe or more', ['trace', 'debug', 'info', 'warn', 'error', 'fatal']))
    .option('--text <text>', 'with this in the message or the fields')
    .option('--since <time>', 'from this time on, or so long ago: 90s, 15m, 2h, 7d', timeOrAgo)
    .option('--until <time>', 'before this time, or before so long ago', timeOrAgo)
    .option('--request-id <id>', 'of this request (its header x-request-id)')
    .addOption(new Option('--replica <id>', 'of this replica'))
    .addOption(new Option('--task <id>', 'of this task'))
    .option('--limit <n>', 'the last ones only')
    .option('--cursor <cursor>', 'those before, as an earlier answer named them');
  runs(logs, async (context, { follow, replica, task, ...rest }) => {
    const filters = { ...rest, replica_id: replica, task_id: task };
    await (follow ? followLogs(context, filters) : printLast(context, filters));
  });
}

/** The page itself for programs that want it whole; for all others its lines in the order in which they came. */
async function printLast({ api, print }: Context, query: Item): Promise<void> {
  const page = await api.page('/admin/logs', query);
  if (print.output === 'json') return print.page(page, []);
  for (const line of page.items.toReversed()) print.event(line, lineText(line, display(line.at)));
  if (!page.items.length) print.remark('There are none.');
  if (page.next_cursor) print.remark(`There are earlier ones: --cursor ${page.next_cursor}.`);
}

/** The last lines and those that come, through cuts of the connection, each once. */
async function followLogs({ api, print }: Context, { limit = 10, cursor: _cursor, ...filters }: Given): Promise<void> {
  // The time of day is enough beside what has just been logged.
  const show = (line: Item) => print.event(line, lineText(line, display(line.at).replace(/^\S+ (\S+)Z$/, '$1')));
  const { items } = await api.page('/admin/logs', { ...filters, limit });
  for (const line of items.toReversed()) show(line);
  let after = items[0]?.id;
  let connected = false;
  for (;;) {
    try {
      for await (const { event, data } of eventStream(api, '/admin/logs', { query: { ...filters, after } })) {
        if (event === 'reset') print.remark('Some lines are no longer kept; what follows is new.');
        if (event === 'start' && connected) print.remark('Connected again; nothing is missing.');
        connected = true;
        if (event === 'admin_log') show(data);
        after = data.id ?? after;
      }
      print.remark('The server has ended the stream; connecting again…');
    } catch (error) {
      const passes = error instanceof Unreachable || (error instanceof Refused && error.problem.code === 'UNAVAILABLE');
      if (!connected || !passes) throw error;
      print.remark(`${error.message.split('. ')[0]}; connecting again…`);
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

function lineText({ level, replica_id, msg, request_id, task_id, fields }: Item, time: string): string {
  const style = styles[String(level)];
  const severity = display(level).toUpperCase().padEnd(5);
  const painted = style ? paint(style, severity) : severity;
  const more = Object.entries({ ...(fields as Item | undefined), request_id, task_id })
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => `${display(key)}=${fieldText(value)}`);
  return `${time} ${painted} ${display(replica_id)}  ${display(msg)}${more.length ? `  ${paint('dim', more.join(' '))}` : ''}`;
}

/** Of an error what it says; its stack is in the JSON. */
function fieldText(value: unknown): string {
  const { message, stack } = (typeof value === 'object' ? value : {}) as Item;
  return display(stack === undefined ? value : message);
}

/** Says nothing in colours to what is no terminal, or with NO_COLOR. */
function paint(style: 'red' | 'yellow' | 'dim', text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
