import type { Command } from 'commander';
import { segment } from '../api.js';
import { command, paged, runs } from '../command.js';
import type { Context } from '../context.js';
import { eventStream } from '../event-stream.js';
import { display, type Item } from '../text.js';
import { eventLine } from '../event-line.js';

const id = '01a203f4-d9ad-763d-a518-7b95654d40e8';

/** What has happened to a task: attempts, log lines, events. */
export function addTaskHistory(tasks: Command): void {
  const attempts = command(tasks, 'attempts <id>', 'List its attempts', [`tasks attempts ${id}`]);
  runs(paged(attempts), async ({ api, print }, { all, ...query }, id) => {
    const page = await api.list(`/tasks/${segment(id)}/attempts`, query, all === true);
    print.page(page, ['attempt', 'status', 'worker_id', 'started_at', 'finished_at', { title: 'error', value: errorOf }]);
  });

  const logs = command(tasks, 'logs <id>', 'Print what its attempts have logged', [`tasks logs ${id}`, `tasks logs ${id} -f`]);
  runs(paged(logs).option('-f, --follow', 'and what they log until it is finished'), async (context, { all, follow, ...query }, id) => {
    const path = `/tasks/${segment(id)}`;
    if (follow) return followLogs(context, path, query);
    const page = await context.api.list(`${path}/logs`, query, all === true);
    if (context.print.output === 'json') context.print.value(page, () => []);
    else for (const line of page.items) context.print.event(line, logLine(line));
    if (page.next_cursor && context.print.output !== 'json')
      context.print.remark(`There are more: --cursor ${page.next_cursor}, or --all.`);
  });

  const events = command(tasks, 'events <id>', 'Print its events', [`tasks events ${id}`, `tasks events ${id} -f --output ndjson`]);
  runs(
    paged(events).option('-f, --follow', 'and what happens until it is finished'),
    async ({ api, print }, { all, follow, ...query }, id) => {
      const path = `/tasks/${segment(id)}/events`;
      if (!follow) {
        return print.page(await api.list(path, query, all === true), ['seq', 'at', 'action', 'status', 'attempt', 'progress', 'worker_id']);
      }
      for await (const { event, data } of eventStream(api, path)) {
        if (event === 'reset') print.remark('Earlier events are no longer kept.');
        else print.event(data, eventLine(data));
      }
    },
  );
}

/** The stream says when there are new lines; the pages have them, each once. */
async function followLogs({ api, print }: Context, path: string, query: Item): Promise<void> {
  let cursor = query.cursor;
  const printNew = async () => {
    for (let more = true; more;) {
      const page = await api.list(`${path}/logs`, { limit: 200, ...query, cursor });
      for (const line of page.items) print.event(line, logLine(line));
      cursor = page.items.at(-1)?.id ?? cursor;
      more = Boolean(page.next_cursor);
    }
  };
  await printNew();
  for await (const { event } of eventStream(api, `${path}/events`)) if (event === 'task_log') await printNew();
  await printNew();
}

function logLine({ at, attempt, level, message, data }: Item): string {
  const more = data === null || data === undefined ? '' : ` ${display(data)}`;
  return `${display(at)}  #${display(attempt)} ${display(level).toUpperCase().padEnd(5)} ${display(message)}${more}`;
}

function errorOf({ error }: Item): unknown {
  const { code, message } = (error ?? {}) as Item;
  return code ? `${display(code)}: ${display(message)}` : undefined;
}
