import { TaskServiceClient, type ListTasksRequest } from './generated/arkitect/v1/task_service.js';
import { WorkerServiceClient, type Worker as ConnectedWorker } from './generated/arkitect/v1/worker_service.js';
import { connectionOf, type Connection, type ConnectionOptions } from './connection.js';
import { unary } from './unary.js';
import {
  fromCreated,
  fromTask,
  toNewTask,
  toTime,
  type Attempt,
  type CreatedTask,
  type NewTask,
  type Page,
  type Task,
  type TaskEvent,
  type TaskFields,
  type TaskLog,
  type TaskPriority,
  type TaskStatus,
} from './task.js';
import type { TraceContext } from './trace.js';
import { watchTasks, type WatchOptions } from './watch.js';

export type { ConnectedWorker };

/** How a client connects. */
export interface ClientOptions extends ConnectionOptions {
  /** Seconds after which a call that was not answered fails as DEADLINE_EXCEEDED; on top of what it asked the server to wait (30). */
  timeoutSeconds?: number;
}

/** Which tasks. All given filters must hold; of several values of one filter, one must. */
export interface TaskFilters {
  /** In one of these states, at most 20. */
  status?: TaskStatus | TaskStatus[];
  /** Of one of these types, at most 20. */
  type?: string | string[];
  /** In one of these queues, at most 20. */
  queue?: string | string[];
  /** Of one of these priorities. */
  priority?: TaskPriority | TaskPriority[];
  /** With exactly one of these names, at most 20. */
  name?: string | string[];
  /** With these labels, as key=value; within one, commas mean OR. At most 20. */
  label?: string | string[];
}

/** Which tasks to list, and how. */
export interface ListOptions extends TaskFilters {
  /** Created at this time or later. */
  createdAfter?: string | Date;
  /** Created before this time. */
  createdBefore?: string | Date;
  /** desc is newest first, asc oldest first (desc). */
  order?: 'asc' | 'desc';
  /** At most this many, 1 to 200 (50); a page of very large tasks may be shorter. */
  limit?: number;
  /** The `nextCursor` of the page before. */
  cursor?: string;
}

/** A page of what belongs to one task. */
export interface HistoryPage {
  /** At most this many, 1 to 200 (50). */
  limit?: number;
  /** The `nextCursor` of the page before. */
  cursor?: number;
}

/** How to create. */
export interface CreateOptions {
  /** The same key and task answer the first result again: 1 to 255 printable characters (none). */
  idempotencyKey?: string;
  /** Answer when the task is finished, or as it is after this many seconds, 0 to 60 (0). */
  waitSeconds?: number;
  /** The trace that the task and its attempts are to belong to, such as `propagation.inject` of OpenTelemetry gives (none). */
  trace?: Partial<TraceContext>;
}

/** How to create many. */
export interface BulkOptions extends Pick<CreateOptions, 'idempotencyKey' | 'trace'> {
  /** All or nothing (false). */
  atomic?: boolean;
}

/** A change that holds only if nobody was faster. */
export interface VersionOptions {
  /** Only if this is the task's version, else the call fails as VERSION_MISMATCH (any). */
  version?: number;
}

/** Creates tasks and looks after them. Every call may fail with an `ArkitectError`. */
export class Client {
  readonly #tasks: TaskServiceClient;
  readonly #workers: WorkerServiceClient;
  readonly #call: ReturnType<typeof unary>;
  readonly #metadata: Connection['metadata'];

  /** Connects with the first call. */
  constructor(options: ClientOptions = {}) {
    const connection = connectionOf(options);
    this.#tasks = new TaskServiceClient(connection.target, connection.credentials, connection.channelOptions);
    // One connection for both.
    this.#workers = new WorkerServiceClient(connection.target, connection.credentials, { channelOverride: this.#tasks.getChannel() });
    this.#metadata = connection.metadata;
    this.#call = unary(connection.metadata, options.timeoutSeconds ?? 30);
  }

  /** Creates a task; it is stored when this resolves. */
  async create(task: NewTask, { idempotencyKey, waitSeconds, trace }: CreateOptions = {}): Promise<Task> {
    const request = { task: toNewTask(task), idempotencyKey, waitSeconds };
    return fromTask((await this.#call(this.#tasks.createTask.bind(this.#tasks), request, { waitSeconds, trace })).task);
  }

  /** Creates up to 1,000 tasks. Good ones are created beside bad ones, unless `atomic`: then one bad task fails the call (false). */
  async createMany(tasks: NewTask[], { trace, ...options }: BulkOptions = {}): Promise<CreatedTask[]> {
    const request = { tasks: tasks.map(toNewTask), ...options };
    return (await this.#call(this.#tasks.createTasks.bind(this.#tasks), request, { trace })).items.map(fromCreated);
  }

  /** One task; fails as NOT_FOUND when there is none. */
  async get(id: string): Promise<Task> {
    return fromTask((await this.#call(this.#tasks.getTask.bind(this.#tasks), { id })).task);
  }

  /** A page of tasks, newest first. */
  async list(options: ListOptions = {}): Promise<Page<Task>> {
    const { createdAfter, createdBefore, order, limit, cursor, ...filters } = options;
    const page = { createdAfter: toTime(createdAfter), createdBefore: toTime(createdBefore), order, limit, cursor };
    const request: ListTasksRequest = { ...toFilters(filters), ...page };
    const { items, nextCursor } = await this.#call(this.#tasks.listTasks.bind(this.#tasks), request);
    return { items: items.map(fromTask), nextCursor };
  }

  /** All tasks that match, page by page. */
  async *listAll(options: ListOptions = {}): AsyncGenerator<Task, void, undefined> {
    let cursor = options.cursor;
    do {
      const page = await this.list({ ...options, cursor });
      yield* page.items;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }

  /** Sets every editable field, absent ones to their default. Only before the first attempt. */
  async replace(id: string, task: TaskFields & { name: string }, { version }: VersionOptions = {}): Promise<Task> {
    return fromTask((await this.#call(this.#tasks.replaceTask.bind(this.#tasks), { id, task: toNewTask(task), version })).task);
  }

  /**
   * Changes the given fields, only before the first attempt. `parameters` and `labels` are merged into what is there; a parameter that
   * is null goes away (RFC 7396), and so do `removeLabels`.
   */
  async update(id: string, changes: TaskFields, options: VersionOptions & { removeLabels?: string[] } = {}): Promise<Task> {
    const request = { id, task: toNewTask(changes), version: options.version, removeLabels: options.removeLabels ?? [] };
    return fromTask((await this.#call(this.#tasks.updateTask.bind(this.#tasks), request)).task);
  }

  /** Deletes a task that is not running. */
  async delete(id: string, { version }: VersionOptions = {}): Promise<void> {
    await this.#call(this.#tasks.deleteTask.bind(this.#tasks), { id, version });
  }

  /** Puts a pending task into its queue. */
  async execute(id: string, { waitSeconds }: Pick<CreateOptions, 'waitSeconds'> = {}): Promise<Task> {
    return fromTask((await this.#call(this.#tasks.executeTask.bind(this.#tasks), { id, waitSeconds }, { waitSeconds })).task);
  }

  /** Ends a task that waits, and tells the worker of one that runs. */
  async cancel(id: string): Promise<Task> {
    return fromTask((await this.#call(this.#tasks.cancelTask.bind(this.#tasks), { id })).task);
  }

  /** Queues a failed or cancelled task again, with a fresh budget of attempts. */
  async retry(id: string): Promise<Task> {
    return fromTask((await this.#call(this.#tasks.retryTask.bind(this.#tasks), { id })).task);
  }

  /** The attempts of a task, oldest first. */
  async attempts(id: string, page: HistoryPage = {}): Promise<Page<Attempt, number>> {
    const { items, nextCursor } = await this.#call(this.#tasks.listTaskAttempts.bind(this.#tasks), { id, ...page });
    return { items, nextCursor };
  }

  /** What its handler logged, oldest first. */
  async logs(id: string, page: HistoryPage = {}): Promise<Page<TaskLog, number>> {
    const { items, nextCursor } = await this.#call(this.#tasks.listTaskLogs.bind(this.#tasks), { id, ...page });
    return { items: items as TaskLog[], nextCursor };
  }

  /** What happened to it, oldest first. */
  async events(id: string, page: HistoryPage = {}): Promise<Page<TaskEvent, number>> {
    const { items, nextCursor } = await this.#call(this.#tasks.listTaskEvents.bind(this.#tasks), { id, ...page });
    return { items: items as TaskEvent[], nextCursor };
  }

  /**
   * Events of all tasks that match (`id`: of these tasks, at most 100), as they happen; with `since`, first what was missed, in order and
   * without a gap. Goes on after the last event by itself when the connection breaks. Ends when `signal` is aborted or the loop is left.
   */
  watch(filters: TaskFilters & { id?: string | string[] } = {}, options: WatchOptions = {}): AsyncGenerator<TaskEvent, void, undefined> {
    const { id, ...others } = filters;
    const request = { ...toFilters(others), id: many(id) };
    return watchTasks((since) => this.#tasks.watchTasks({ ...request, since }, this.#metadata()), options);
  }

  /** The workers that are connected, of all replicas. Needs the role that may administer workers. */
  async workers(): Promise<ConnectedWorker[]> {
    return (await this.#call(this.#workers.listWorkers.bind(this.#workers), {})).items;
  }

  /** Gives a worker no more tasks until it connects again; what it runs it may finish. */
  async drainWorker(id: string): Promise<void> {
    await this.#call(this.#workers.drainWorker.bind(this.#workers), { id });
  }

  /** Ends a worker's stream at once; its tasks go back to their queues. */
  async disconnectWorker(id: string): Promise<void> {
    await this.#call(this.#workers.disconnectWorker.bind(this.#workers), { id });
  }

  /** Closes the connection; calls that are under way may still end. */
  close(): void {
    this.#tasks.close();
  }
}

function many<Value>(value: Value | Value[] | undefined): Value[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function toFilters({ status, type, queue, priority, name, label }: TaskFilters) {
  return {
    status: many(status),
    type: many(type),
    queue: many(queue),
    priority: many(priority),
    name: many(name),
    label: many(label),
  };
}
