import type { Command } from 'commander';
import { isTerminal, type TaskStatus } from '../../tasks/task.js';
import { segment, type Api } from '../api.js';
import { command, paged, runs } from '../command.js';
import { printList } from '../list.js';
import type { Context } from '../context.js';
import { eventStream, type ServerEvent } from '../event-stream.js';
import { display, type Item } from '../text.js';
import { eventText } from '../event-line.js';

const id = '01a203f4-d9ad-763d-a518-7b95654d40e8';

/** What has happened to a task: attempts, log lines, events. */
export function addTaskHistory(tasks: Command): void {
  const attempts = command(tasks, 'attempts <id>', 'List its attempts', [`tasks attempts ${id}`]);
  const columns = ['attempt', 'status', 'worker_id', 'started_at', 'finished_at', { title: 'error', value: errorOf }];
  runs(paged(attempts), (context, given, id) => printList(context, `/tasks/${segment(id)}/attempts`, given, columns));

  const logs = command(tasks, 'logs <id>', 'Print what its attempts have logged', [`tasks logs ${id}`, `tasks logs ${id} -f`]);
  const columnsOfLogs = ['at', 'attempt', 'level', 'message', 'data'];
  runs(paged(logs).option('-f, --follow', 'and what they log until it is finished'), async (context, { follow, ...given }, id) => {
    const path = `/tasks/${segment(id)}`;
    await (follow ? followLogs(context, path, given) : printList(context, `${path}/logs`, given, columnsOfLogs));
  });

  const events = command(tasks, 'events <id>', 'Print its events', [`tasks events ${id}`, `tasks events ${id} -f --output ndjson`]);
  runs(paged(events).option('-f, --follow', 'and what happens until it is finished'), async (context, { follow, ...given }, id) => {
    const path = `/tasks/${segment(id)}`;
    if (!follow) return printList(context, `${path}/events`, given, ['seq', 'at', 'action', 'status', 'attempt', 'progress', 'worker_id']);
    const { api, print } = context;
    for await (const { event, data } of untilFinished(api, path)) {
      if (event === 'reset') print.remark('Earlier events are no longer kept.');
      else print.happened(data, eventText(data));
    }
  });
}

/** What happens to a task, from its creation to its end. */
async function* untilFinished(api: Api, path: string): AsyncGenerator<ServerEvent> {
  for await (const happened of eventStream(api, `${path}/events`)) {
    yield happened;
    if (await isEnd(api, path, happened)) return;
  }
}

/** Somebody may have retried the task since the event. */
async function isEnd(api: Api, path: string, { event, data }: ServerEvent): Promise<boolean> {
  const isReset = event === 'reset';
  if (event === 'task_deleted') return true;
  if (!isReset && !isTerminal(data.status as TaskStatus)) return false;
  const response = await api.send('GET', path, {});
  if (response.status === 404) return true;
  if (!response.ok) throw await api.refusal(response);
  const { status, version } = (await response.json()) as Item;
  return isTerminal(status as TaskStatus) && (isReset || version === data.version);
}

/** The stream says when there are new lines; the pages have them, each once. */
async function followLogs({ api, print }: Context, path: string, { all: _all, ...query }: Item): Promise<void> {
  let cursor = query.cursor;
  const printNew = async () => {
    for (let more = true; more;) {
      const page = await api.page(`${path}/logs`, { limit: 200, ...query, cursor });
      for (const line of page.items) print.event(line, logLine(line));
      cursor = page.items.at(-1)?.id ?? cursor;
      more = Boolean(page.next_cursor);
    }
  };
  let printing: Promise<void> | undefined;
  let wanted = true;
  // One look at the pages serves all events that came before it.
  const look = () => {
    wanted = true;
    printing ??= (async () => {
      while (wanted) {
        wanted = false;
        await printNew();
      }
    })().finally(() => (printing = undefined));
    return printing;
  };
  await look();
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const watch = async () => {
    for await (const { event } of untilFinished(api, path)) if (event === 'task_log') look().catch(reject);
  };
  await Promise.race([watch(), failed]);
  await look();
}

function logLine({ at, attempt, level, message, data }: Item): string {
  const more = data === null || data === undefined ? '' : ` ${display(data)}`;
  return `${display(at)}  #${display(attempt)} ${display(level).toUpperCase().padEnd(5)} ${display(message)}${more}`;
}

function errorOf({ error }: Item): unknown {
  const { code, message } = (error ?? {}) as Item;
  return code ? `${display(code)}: ${display(message)}` : undefined;
}
