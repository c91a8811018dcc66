import type { Command } from 'commander';
import { taskPriorities, taskStatuses } from '../../tasks/task.js';
import { ifMatch, segment } from '../api.js';
import { command, paged, runs, Suggesting, type Run } from '../command.js';
import { printList } from '../list.js';
import type { Context } from '../context.js';
import { addField, addLabel, addText, json, merged, number } from '../input.js';
import { addTaskHistory } from './task-history.js';

const id = '01a203f4-d9ad-763d-a518-7b95654d40e8';
const columns = ['id', 'name', 'type', 'status', 'progress', 'created_at'];

export function addTasks(program: Command): void {
  const tasks = command(program, 'tasks', 'Create, read and control tasks', [
    'tasks create hello --param hello=world --start auto',
    'tasks list --status running,queued',
    `tasks cancel ${id}`,
  ]);
  addCreate(tasks);
  addList(tasks);
  runs(command(tasks, 'get <id>', 'Read a task', [`tasks get ${id}`, `tasks get ${id} --output json`]), get);
  const execute = command(tasks, 'execute <id>', 'Queue a pending task', [`tasks execute ${id}`, `tasks execute ${id} --wait 30`]);
  runs(execute.option('--wait <seconds>', 'until it is finished, but no longer than this'), async ({ api, print }, { wait }, id) => {
    print.item(await api.post(`/tasks/${segment(id)}/execute`, undefined, waiting(wait)));
  });
  runs(command(tasks, 'cancel <id>', 'Cancel a task', [`tasks cancel ${id}`]), act('cancel'));
  runs(command(tasks, 'retry <id>', 'Queue a failed or cancelled task again', [`tasks retry ${id}`]), act('retry'));
  const remove = command(tasks, 'delete <id>', 'Delete a task that does not run', [`tasks delete ${id}`]);
  runs(remove.option('--if-version <n>', 'only if this is its version'), async ({ api, print }, { if_version }, id) => {
    await api.call('DELETE', `/tasks/${segment(id)}`, { headers: ifMatch(if_version) });
    print.done(`Task ${id} is deleted.`);
  });
  addTaskHistory(tasks);
}

function addCreate(tasks: Command): void {
  const create = command(tasks, 'create <name>', 'Create a task', [
    'tasks create hello --param hello=world --start auto --wait 10',
    'tasks create nap --type sleep --param seconds=20 --label team=reporting',
    'tasks create report --type http.request --params @request.json --max-attempts 3',
    'tasks create later --run-at 2026-12-01T06:00:00Z',
  ])
    .option('--type <type>', 'which handler runs it')
    .option('--queue <queue>', 'the line in which it waits')
    .addOption(new Suggesting('--priority <priority>', 'how urgent it is', taskPriorities))
    .option('--param <key=value>', 'a parameter; JSON where it reads as JSON, else text; repeat it for more', addField)
    .option('--params <json>', 'all parameters: JSON, @file, or @- for stdin', json)
    .option('--label <key=value>', 'a label; repeat it for more', addLabel)
    .option('--max-attempts <n>', 'attempts before it fails', number)
    .option('--timeout-seconds <n>', 'what an attempt may take', number)
    .option('--backoff <json>', 'how long a failed attempt waits, such as {"kind":"fixed","delay_seconds":5}', json)
    .option('--run-at <time>', 'not before this time (RFC 3339)')
    .addOption(new Suggesting('--start <when>', 'whether it waits for "tasks execute"', ['manual', 'auto']))
    .option('--wait <seconds>', 'until it is finished, but no longer than this')
    .option('--idempotency-key <key>', 'sent twice with the same key, it is created once');
  runs(create, async ({ api, print }, { param, params, label, wait, idempotency_key, ...fields }, name) => {
    const parameters = merged(params, param as undefined);
    const body = { name, ...fields, parameters, labels: label };
    const headers = { 'idempotency-key': idempotency_key as string | undefined };
    print.item(await api.post('/tasks', body, { headers, ...waiting(wait) }));
  });
}

function addList(tasks: Command): void {
  const list = command(tasks, 'list', 'List tasks, newest first', [
    'tasks list --status failed --type http.request',
    'tasks list --label team=reporting --created-after 2026-11-01T00:00:00Z',
    'tasks list --all --output ndjson',
  ])
    .addOption(new Suggesting('--status <statuses>', 'in one of these states', taskStatuses))
    .option('--type <types>', 'of one of these types')
    .option('--queue <queues>', 'in one of these queues')
    .addOption(new Suggesting('--priority <priorities>', 'of one of these priorities', taskPriorities))
    .option('--name <names>', 'with one of these names')
    .option('--label <key=value>', 'with this label; repeat it for more, which must all hold', addText)
    .option('--created-after <time>', 'created at this time or later')
    .option('--created-before <time>', 'created before this time')
    .addOption(new Suggesting('--order <order>', 'newest or oldest first', ['desc', 'asc']));
  runs(paged(list), (context, given) => printList(context, '/tasks', given, columns));
}

async function get({ api, print }: Context, _given: object, id?: string): Promise<void> {
  print.item(await api.get(`/tasks/${segment(id)}`));
}

function act(action: 'cancel' | 'retry'): Run {
  return async ({ api, print }, _given, id) => {
    print.item(await api.post(`/tasks/${segment(id)}/${action}`));
  };
}

/** The answer may come that much later. */
function waiting(wait: unknown): { query: { wait: unknown }; waitSeconds: number } {
  return { query: { wait }, waitSeconds: Number(wait) || 0 };
}
