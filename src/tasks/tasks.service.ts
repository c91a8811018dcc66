import { Inject, Injectable } from '@nestjs/common';
import { noteChange, noteUnchanged } from '../audit/note-change.js';
import type { Principal } from '../auth/principal.js';
import { Batcher } from '../engine/batcher.js';
import { Engine } from '../engine/engine.js';
import { newTaskId } from '../engine/task-id.js';
import type { NewTask, TaskRef, TaskRow } from '../engine/task-row.js';
import type { EditableFields } from '../engine/transitions/update.js';
import { CodedError, invalid, type FieldError } from '../errors/coded-error.js';
import { EventLog } from '../events/event-log.js';
import { toEventView, type TaskEventView } from '../events/events.js';
import { checkParameters, HandlerRegistry } from '../handlers/handlers.js';
import { pageOf, type Page } from '../input/page.js';
import type { HistoryPageDto } from '../input/query.js';
import { maxLabels, namePattern } from '../input/fields.js';
import { checkInput } from '../input/validate.js';
import { SETTINGS, type Settings } from '../settings.js';
import { Tracing } from '../tracing/tracing.js';
import { KnownTypes } from '../workers/known-types.js';
import { FinishWaits } from './finish-waits.js';
import { Idempotency } from './idempotency.js';
import { mergePatch } from './merge-patch.js';
import { defaultBackoff, isTerminal, type Backoff, type Json, type JsonObject, type Task } from './task.js';
import type { ListTasksDto } from './task-filters.dto.js';
import { toTaskView } from './task-view.js';
import { CreateTaskDto, TaskFieldsDto, type BackoffDto, type BulkCreateDto, type PatchTaskDto } from './tasks.dto.js';
import { edited, moved, noteCreated } from './task-notes.js';
import { taskNotFound, versionMismatch, wrongState } from './tasks.errors.js';
import { TasksStore, type AttemptView, type LogView } from './tasks.store.js';

/** One line of a bulk answer: the task, or why this one was refused. */
export type BulkItem = { index: number; task: Task } | { index: number; error: { code: string; detail: string; errors: FieldError[] } };

export interface BulkResult {
  created: number;
  failed: number;
  items: BulkItem[];
}

export interface FollowedEvents {
  reset: boolean;
  /** The events after this one follow. */
  seq: number;
  follow(signal: AbortSignal): AsyncGenerator<TaskEventView[]>;
}

/** A created answer; `replayed` when an Idempotency-Key found the first one. */
export interface Created<T> {
  answer: T;
  replayed: boolean;
}

const editableStates = ['pending', 'scheduled', 'queued'];
const maxEditRetries = 10;
/** Tasks read in one statement: so many times the largest parameters and result may be in memory for it. */
const maxGets = 20;

/** What clients do with tasks, for all doors alike. */
@Injectable()
export class TasksService {
  /** One statement for all that are asked for at the same time. */
  private readonly gets = new Batcher((refs: TaskRef[]) => this.store.getAll(refs), { maxItems: maxGets });

  constructor(
    private readonly engine: Engine,
    private readonly store: TasksStore,
    private readonly handlers: HandlerRegistry,
    private readonly eventLog: EventLog,
    private readonly idempotency: Idempotency,
    private readonly finishWaits: FinishWaits,
    private readonly knownTypes: KnownTypes,
    private readonly tracing: Tracing,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  async create(principal: Principal, input: CreateTaskDto, idempotencyKey?: string): Promise<Created<Task>> {
    await this.lookUpTypes(principal, [input.type]);
    const task = this.newTask(principal, input);
    return this.createOnce(principal, 'tasks.create', input, idempotencyKey, [task], ([row]) => toTaskView(row!));
  }

  /** Bad items are answered with their errors beside the good ones; with `atomic` one bad item refuses all. */
  async createBulk(principal: Principal, input: BulkCreateDto, idempotencyKey?: string): Promise<Created<BulkResult>> {
    const refused = new Map<number, FieldError[]>();
    await this.lookUpTypes(
      principal,
      input.tasks.map((plain) => (plain as { type?: unknown } | null)?.type),
    );
    const tasks = input.tasks.flatMap((plain, index) => {
      const { value, errors } = checkInput(CreateTaskDto, plain);
      const problems = errors.length ? errors : this.fieldErrors(principal, value);
      if (!problems.length) return [this.newTask(principal, value)];
      refused.set(index, problems);
      return [];
    });
    if (input.atomic && refused.size) {
      throw invalid(
        [...refused].flatMap(([index, errors]) => errors.map((error) => ({ ...error, field: `tasks[${index}].${error.field}` }))),
      );
    }
    return this.createOnce(principal, 'tasks.bulk', input, idempotencyKey, tasks, (rows) => {
      const next = rows.values();
      const items = input.tasks.map((_, index): BulkItem => {
        const errors = refused.get(index);
        if (!errors) return { index, task: toTaskView(next.next().value!) };
        const { code, message } = invalid(errors);
        return { index, error: { code, detail: message, errors } };
      });
      return { created: rows.length, failed: refused.size, items };
    });
  }

  list(principal: Principal, filters: ListTasksDto): Promise<Page<Task, string>> {
    return this.store.list(principal.tenant_id, filters);
  }

  async get({ tenant_id }: Principal, id: string): Promise<Task> {
    const task = await this.gets.add({ tenant_id, id });
    if (!task) throw taskNotFound(id);
    return task;
  }

  /** PUT: every editable field, absent ones at their default. */
  async replace(principal: Principal, id: string, input: TaskFieldsDto, version?: number): Promise<Task> {
    await this.lookUpTypes(principal, [input.type]);
    return this.edit(principal, id, version, () => this.fields(principal, input));
  }

  /** PATCH: the given fields over the stored ones. */
  async patch(principal: Principal, id: string, input: PatchTaskDto, version?: number): Promise<Task> {
    await this.lookUpTypes(principal, [input.type]);
    return this.edit(principal, id, version, (task) =>
      this.fields(principal, {
        ...task,
        ...withoutAbsent(input),
        parameters: mergePatch(task.parameters, input.parameters ?? {}) as JsonObject,
        labels: mergePatch(task.labels, input.labels ?? {}) as Record<string, string>,
        backoff: { ...task.backoff, ...withoutAbsent(input.backoff ?? {}) },
        type: input.type ?? task.type,
      }),
    );
  }

  async remove(principal: Principal, id: string, version?: number): Promise<void> {
    const removed = await this.engine.remove({ tenant_id: principal.tenant_id, id }, version);
    if (removed) return noteChange({ id, before: removed });
    const task = await this.get(principal, id);
    if (version !== undefined && task.version !== version) throw versionMismatch(task, version);
    throw wrongState(task, 'deleted', 'not running; cancel it first');
  }

  async execute(principal: Principal, id: string): Promise<Task> {
    const row = await this.engine.execute({ tenant_id: principal.tenant_id, id });
    return row ? moved(row, 'pending') : this.refuse(principal, id, 'executed', 'pending');
  }

  /** Cancelling what is cancelled, or about to be, is no error: the caller has what it wants. */
  async cancel(principal: Principal, id: string): Promise<Task> {
    const row = await this.engine.cancel({ tenant_id: principal.tenant_id, id });
    if (row) return moved(row, row.was);
    const task = await this.get(principal, id);
    noteUnchanged();
    if (task.status === 'cancelled' || task.status === 'cancelling') return task;
    throw wrongState(task, 'cancelled', 'not finished');
  }

  async retry(principal: Principal, id: string): Promise<Task> {
    const row = await this.engine.retry({ tenant_id: principal.tenant_id, id });
    return row ? moved(row, row.was) : this.refuse(principal, id, 'retried', 'failed or cancelled');
  }

  async attempts(principal: Principal, id: string, { cursor = 0, limit }: HistoryPageDto): Promise<Page<AttemptView, number>> {
    await this.get(principal, id);
    return this.store.attempts({ tenant_id: principal.tenant_id, id }, cursor, limit);
  }

  async logs(principal: Principal, id: string, { cursor = 0, limit }: HistoryPageDto): Promise<Page<LogView, number>> {
    await this.get(principal, id);
    return this.store.logs({ tenant_id: principal.tenant_id, id }, cursor, limit);
  }

  async events(principal: Principal, id: string, { cursor = 0, limit }: HistoryPageDto): Promise<Page<TaskEventView, number>> {
    await this.get(principal, id);
    const rows = await this.eventLog.readTask({ tenant_id: principal.tenant_id, id }, cursor, undefined, limit + 1);
    return pageOf(rows.map(toEventView), limit, (event) => event.seq);
  }

  /**
   * The task's events after `since`, and then each as it happens. Throws at once when there is no such task.
   * `reset` when what came after `since` is no longer known in full: the stream begins at the end of the log instead.
   */
  async followEvents(principal: Principal, id: string, since: number): Promise<FollowedEvents> {
    await this.get(principal, id);
    const { eventLog } = this;
    const reset = since > 0 && !(await eventLog.canResumeFrom(since));
    const start = reset ? eventLog.tail : since;
    const ref = { tenant_id: principal.tenant_id, id };
    const follow = async function* (signal: AbortSignal) {
      for await (const events of eventLog.follow(start, signal, ref)) yield events.map(toEventView);
    };
    return { reset, seq: start, follow };
  }

  /** The task when it is finished, or as it is after `seconds`. */
  async waitForEnd(principal: Principal, id: string, seconds: number): Promise<Task> {
    let task = await this.get(principal, id);
    if (isTerminal(task.status)) return task;
    await this.finishWaits.until(id, seconds, async () => isTerminal((task = await this.get(principal, id)).status));
    return isTerminal(task.status) ? task : this.get(principal, id);
  }

  private async createOnce<T>(
    principal: Principal,
    operation: string,
    input: CreateTaskDto | BulkCreateDto,
    key: string | undefined,
    tasks: NewTask[],
    answerOf: (rows: TaskRow[]) => T,
  ): Promise<Created<T>> {
    if (key === undefined) {
      const rows = await this.enqueue(tasks);
      noteCreated(rows);
      return { answer: answerOf(rows), replayed: false };
    }
    let rows: TaskRow[] = [];
    const span = this.tracing.send(tasks);
    const body = JSON.parse(JSON.stringify(input)) as Json;
    const created = await this.idempotency.once({ tenant_id: principal.tenant_id, key, operation, body }, async (transaction) => {
      rows = await this.engine.enqueueWithin(transaction, tasks);
      return answerOf(rows);
    });
    noteCreated(rows);
    // Of an answer that is only repeated there is nothing to tell.
    if (rows.length) span?.end();
    if (rows.length) this.engine.enqueued(rows);
    return created;
  }

  private async enqueue(tasks: NewTask[]): Promise<TaskRow[]> {
    const span = this.tracing.send(tasks);
    try {
      const rows = tasks.length === 1 ? [await this.engine.enqueueOne(tasks[0]!)] : await this.engine.enqueue(tasks);
      span?.end();
      return rows;
    } catch (error) {
      span?.end({ error: 'NOT_STORED' });
      throw error;
    }
  }

  private newTask(principal: Principal, input: CreateTaskDto): NewTask {
    return {
      ...this.fields(principal, input),
      tenant_id: principal.tenant_id,
      id: newTaskId(),
      start: input.start ?? 'manual',
      created_by: principal.name,
      trace: this.tracing.current(),
    };
  }

  /** The editable fields with every default filled in. Throws when the type or its parameters are not right. */
  private fields(principal: Principal, input: TaskFieldsDto): EditableFields {
    const errors = this.fieldErrors(principal, input);
    if (errors.length) throw invalid(errors);
    const type = input.type ?? this.settings.TASKS_DEFAULT_TYPE;
    const defaults = this.handlers.get(type)?.defaults;
    return {
      name: input.name,
      type,
      queue: input.queue ?? 'default',
      priority: input.priority ?? 'medium',
      parameters: input.parameters ?? {},
      labels: input.labels ?? {},
      max_attempts: input.max_attempts ?? defaults?.max_attempts ?? 1,
      timeout_seconds: input.timeout_seconds ?? defaults?.timeout_seconds ?? 300,
      backoff: fullBackoff(input.backoff),
      // In UTC, as PostgreSQL takes no time zone beyond 16 hours.
      run_at: input.run_at ? new Date(input.run_at).toISOString() : null,
    };
  }

  /** Types that this server does not run itself may be those of workers. */
  private lookUpTypes({ tenant_id }: Principal, types: unknown[]): Promise<void> {
    const foreign = types.filter((type): type is string => typeof type === 'string' && !this.handlers.get(type) && namePattern.test(type));
    return this.knownTypes.lookUp(tenant_id, [...new Set(foreign)]);
  }

  private fieldErrors({ tenant_id }: Principal, input: TaskFieldsDto): FieldError[] {
    const type = input.type ?? this.settings.TASKS_DEFAULT_TYPE;
    const handler = this.handlers.get(type);
    if (!handler && !this.knownTypes.has(tenant_id, type)) {
      const known = this.handlers.types().join(', ');
      return [
        { field: 'type', message: `${JSON.stringify(type)} has no handler here, and no worker has announced it; known types are ${known}` },
      ];
    }
    const { errors } = checkParameters(handler, input.parameters ?? {});
    // A patch adds to what is there.
    const labels = Object.keys(input.labels ?? {}).length;
    return labels > maxLabels
      ? [...errors, { field: 'labels', message: `would be ${labels} labels; at most ${maxLabels} are accepted` }]
      : errors;
  }

  private async edit(principal: Principal, id: string, version: number | undefined, change: (task: Task) => EditableFields): Promise<Task> {
    for (let attempt = 0; attempt < maxEditRetries; attempt++) {
      const task = await this.get(principal, id);
      if (version !== undefined && task.version !== version) throw versionMismatch(task, version);
      if (task.attempt > 0 || !editableStates.includes(task.status)) {
        throw new CodedError(
          'CONFLICT',
          `Task ${id} is ${task.status} and has started ${task.attempt} attempts; it can be changed only before the first.`,
        );
      }
      const row = await this.engine.update({ tenant_id: principal.tenant_id, id }, task.version, change(task));
      if (row) return edited(task, toTaskView(row));
      // Somebody else was faster: look again, and judge by what is there now.
    }
    throw new CodedError('UNAVAILABLE', `Task ${id} is being changed by others all the time. Try again.`);
  }

  private async refuse(principal: Principal, id: string, verb: string, allowed: string): Promise<never> {
    throw wrongState(await this.get(principal, id), verb, allowed);
  }
}

function fullBackoff(given: BackoffDto | undefined): Backoff {
  return { ...defaultBackoff, ...withoutAbsent(given ?? {}) };
}

/** DTO instances carry every declared field; absent ones must not overwrite. */
function withoutAbsent<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
