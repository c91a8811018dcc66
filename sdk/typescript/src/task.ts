import type * as pb from './generated/arkitect/v1/task_service.js';
import { toJsonObject, type JsonObject, type JsonValue } from './json.js';

/** The states of a task. The last three are final. */
export type TaskStatus = 'pending' | 'scheduled' | 'blocked' | 'queued' | 'running' | 'cancelling' | 'completed' | 'failed' | 'cancelled';

/** More urgent tasks are claimed first. */
export type TaskPriority = 'low' | 'medium' | 'high' | 'critical';

/** Why an attempt failed. */
export type TaskError = pb.TaskError;

/** One execution of a task. */
export type Attempt = pb.Attempt;

/** How long a failed attempt waits before the next; absent fields have their default. */
export interface Backoff {
  /** How the wait grows (exponential). */
  kind?: 'fixed' | 'linear' | 'exponential';
  /** Seconds before the second attempt, 0 to 86,400 (1). */
  delaySeconds?: number;
  /** No wait is longer than this many seconds, 0 to 604,800 (300). */
  maxDelaySeconds?: number;
  /** Share of the wait that is random, 0 to 1 (0.2). */
  jitter?: number;
}

/** A task as it is. Fields that say nothing are undefined. Times are RFC 3339 in UTC, with milliseconds. */
export interface Task extends Omit<pb.Task, 'status' | 'priority' | 'parameters' | 'result' | 'backoff'> {
  status: TaskStatus;
  priority: TaskPriority;
  /** The handler's input. */
  parameters: JsonObject;
  /** What the handler returned; undefined until completed. */
  result: JsonValue | undefined;
  /** How long a failed attempt waits before the next. */
  backoff: Required<Backoff>;
}

/** One line that a handler logged. */
export interface TaskLog extends Omit<pb.TaskLog, 'data'> {
  /** What belongs to it. */
  data: JsonValue | undefined;
}

/** Something that happened to a task: the task as it was then, without parameters and result. */
export interface TaskEvent extends Omit<pb.TaskEvent, 'status' | 'priority'> {
  /** Its state after the event. */
  status: TaskStatus | undefined;
  priority: TaskPriority | undefined;
}

/** What can be changed of a task before its first attempt. */
export interface TaskFields {
  /** What people call it: 1 to 255 characters. */
  name?: string;
  /** Which handler runs it: a-z, 0-9 and . _ : -, at most 100 (the server's TASKS_DEFAULT_TYPE). */
  type?: string;
  /** The line in which it waits: a-z, 0-9 and . _ : -, at most 100 (default). */
  queue?: string;
  /** More urgent tasks are claimed first (medium). */
  priority?: TaskPriority;
  /** The handler's input, a JSON object: at most 256 KiB and 32 levels deep (empty). */
  parameters?: object;
  /** At most 64 pairs to filter by (none). */
  labels?: Record<string, string>;
  /** Attempts before it fails, 1 to 100 (the handler's, else 1). */
  maxAttempts?: number;
  /** Seconds one attempt may take, 1 to 86,400 (the handler's, else 300). */
  timeoutSeconds?: number;
  /** How long a failed attempt waits before the next. */
  backoff?: Backoff;
  /** Not before this time. Implies start: auto. */
  runAt?: string | Date;
}

/** A task to create. */
export interface NewTask extends TaskFields {
  name: string;
  /** manual leaves it pending until it is executed, auto queues it at once (manual). */
  start?: 'manual' | 'auto';
}

/** Why one task of many was refused. */
export interface TaskRefusal {
  /** For programs, such as VALIDATION_FAILED. */
  code: string;
  /** A sentence for people. */
  message: string;
  /** The fields that are not valid. */
  fields: { field: string; message: string }[];
}

/** What became of one task of many: the task, or why it was refused. */
export interface CreatedTask {
  /** Place in the request, from 0. */
  index: number;
  task: Task | undefined;
  error: TaskRefusal | undefined;
}

/** A page of something. */
export interface Page<Item, Cursor = string> {
  items: Item[];
  /** Give it as `cursor` for the next page; undefined on the last. */
  nextCursor: Cursor | undefined;
}

/** Times of a filter may be given as text in RFC 3339 or as a Date. */
export function toTime(time: string | Date | undefined): string | undefined {
  return time instanceof Date ? time.toISOString() : time;
}

export function fromTask(task: pb.Task | undefined): Task {
  if (!task) throw new TypeError('The server answered without a task.');
  return { ...task, parameters: task.parameters ?? {} } as Task;
}

export function toNewTask(task: TaskFields & { start?: string }): pb.NewTask {
  const { parameters, labels = {}, backoff, runAt, ...plain } = task;
  return {
    name: plain.name,
    type: plain.type,
    queue: plain.queue,
    priority: plain.priority,
    maxAttempts: plain.maxAttempts,
    timeoutSeconds: plain.timeoutSeconds,
    start: plain.start,
    labels,
    parameters: parameters && toJsonObject(parameters, 'parameters').json,
    backoff,
    runAt: toTime(runAt),
  };
}

export function fromCreated({ index, task, error }: pb.CreatedTask): CreatedTask {
  return {
    index,
    task: task && fromTask(task),
    error: error && { code: error.code, message: error.detail, fields: error.errors },
  };
}
