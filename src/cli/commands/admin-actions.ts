import type { Command } from 'commander';
import { segment, type Api } from '../api.js';
import { command, paged, runs, Suggesting } from '../command.js';
import type { Context } from '../context.js';
import { downloadTo } from '../download.js';
import { NotInTime, Refused, UsageError, type Problem } from '../failures.js';
import { addField, json, merged, waitSeconds } from '../input.js';
import { printList } from '../list.js';
import { sections } from '../sections.js';
import { display, type Item } from '../text.js';

const id = '01a203f4-d9ad-763d-a518-7b95654d40e8';
const pollMs = 250;
/** What leaves a file is waited for: there is nothing to save before its end. */
const fileWaitSeconds = 600;

export function addAdminActions(admin: Command): void {
  const list = command(admin, 'actions [name]', 'List what can be done and how dangerous it is, or describe one', [
    'admin actions',
    'admin actions purge_tasks',
  ]);
  runs(list, async ({ api, print }, _given, name) => {
    const page = await api.page('/admin/actions');
    if (name === undefined) {
      return print.page(page, ['action', 'danger', { title: 'parameters', value: ({ parameters }) => names(parameters) }, 'description']);
    }
    const found = page.items.find(({ action }) => action === name);
    if (!found) throw new UsageError(`There is no action "${name}". "admin actions" lists all.`);
    print.value(found, () => {
      const { parameters, ...rest } = found;
      return sections(print, { ...rest, parameters: described(parameters) });
    });
  });

  const run = command(admin, 'run <action>', 'Have something done', [
    'admin run drain_replica --param replica_id=host-4711-1f0c3a5e --wait 60',
    'admin run purge_tasks --param \'status=["completed"]\' --dry-run',
    'admin run heap_snapshot --file heap.heapsnapshot.gz',
  ])
    .option('--param <key=value>', 'a parameter; JSON where it reads as JSON, else text; repeat it for more', addField)
    .option('--params <json>', 'all parameters: JSON, @file, or @- for stdin', json)
    .option('--dry-run', 'only say what it would do; for what is dangerous also the token that it needs')
    .option('--confirm <token>', 'the token that the dry run has answered')
    .option('--wait <seconds>', 'until it has ended, but no longer than this; exit code 4 when it has not', waitSeconds)
    .option('--file <file>', 'save what it leaves to download, as a file that only you can read; waits for its end');
  runs(run, async (context, { param, params, dry_run, confirm, wait, file }, action) => {
    const parameters = merged(params, param as Item | undefined);
    const body = { action, parameters, dry_run, confirm };
    const answer = await context.api.post('/admin/actions', body, { waitSeconds: Number(wait ?? 0) });
    const seconds = wait ?? (file === undefined ? undefined : fileWaitSeconds);
    await tell(context, seconds === undefined ? answer : await untilEnded(context, answer, Number(seconds)), { seconds, file });
    const { confirm: token } = (answer.shown_once ?? {}) as Item;
    if (token) context.print.remark(`To have it done: the same with --confirm ${display(token)} instead of --dry-run.`);
  });

  const runsOf = command(admin, 'runs', 'List what was done, newest first', [
    'admin runs',
    'admin runs --action purge_tasks --status failed',
  ])
    .option('--action <actions>', 'only these actions')
    .addOption(new Suggesting('--status <statuses>', 'in one of these states', ['queued', 'running', 'completed', 'failed']));
  runs(paged(runsOf), (context, given) =>
    printList(context, '/admin/actions/runs', given, ['id', 'action', 'status', 'dry_run', 'progress', 'created_by', 'created_at']),
  );

  const read = command(admin, 'action <id>', 'Read what became of it', [
    `admin action ${id}`,
    `admin action ${id} --file profile.cpuprofile.gz`,
  ])
    .option('--wait <seconds>', 'until it has ended, but no longer than this; exit code 4 when it has not', waitSeconds)
    .option('--file <file>', 'save what it has left to download, as a file that only you can read');
  runs(read, async (context, { wait, file }, id) => {
    const answer = await context.api.get(pathOf(id));
    await tell(context, wait === undefined ? answer : await untilEnded(context, answer, Number(wait)), { seconds: wait, file });
  });
}

function pathOf(id: unknown): string {
  return `/admin/actions/${segment(String(id))}`;
}

interface Schema {
  properties?: Record<string, Item>;
  required?: string[];
}

function names(schema: unknown): string {
  return Object.keys((schema as Schema).properties ?? {}).join(', ');
}

function described(schema: unknown): Item[] {
  const { properties = {}, required = [] } = schema as Schema;
  return Object.entries(properties).map(([name, { description }]) => ({ name, required: required.includes(name), meaning: description }));
}

const hasEnded = ({ status }: Item) => status !== 'queued' && status !== 'running';

/** The run when it has ended, or as it is when the time is over. Tells of its progress meanwhile. */
async function untilEnded({ api, print }: { api: Api; print: Context['print'] }, begun: Item, seconds: number): Promise<Item> {
  const deadline = performance.now() + seconds * 1_000;
  let run = begun;
  let told: unknown = null;
  while (!hasEnded(run) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    run = await api.get(pathOf(begun.id));
    const { progress, progress_message } = run;
    if (progress_message && progress_message !== told) print.remark(`${display(progress)} %  ${display(progress_message)}`);
    told = progress_message;
  }
  return run;
}

/** Prints the run, saves its file; throws when it has failed or goes on after all patience. */
async function tell({ api, print }: Context, run: Item, { seconds, file }: { seconds: unknown; file: unknown }): Promise<void> {
  print.value(run, () => sections(print, run));
  if (run.status === 'failed') throw new Refused(problemOf(run));
  if (!hasEnded(run)) {
    if (seconds === undefined) return print.remark(`It goes on: "admin action ${display(run.id)} --wait 60" waits for its end.`);
    throw new NotInTime(`After ${display(seconds)} s it still runs. "admin action ${display(run.id)} --wait 60" waits on.`);
  }
  if (typeof file !== 'string') return;
  await downloadTo(file, api, `${pathOf(run.id)}/file`);
  print.remark(`${file} is written.`);
}

/** Why a run has failed, as the API would have said it. */
function problemOf({ error, request_id }: Item): Problem {
  const { code, message, fields } = error as { code: string; message: string; fields?: Problem['errors'] };
  return { code, title: 'The action has failed', detail: message, ...(fields && { errors: fields }), request_id: request_id as string };
}
