// The entry of the package: all that its users see.
export { Client } from './client.js';
export type {
  BulkOptions,
  ClientOptions,
  ConnectedWorker,
  CreateOptions,
  HistoryPage,
  ListOptions,
  TaskFilters,
  VersionOptions,
} from './client.js';
export type { ConnectionOptions, TlsOptions } from './connection.js';
export { ArkitectError } from './errors.js';
export type { FieldProblem } from './errors.js';
export { TaskFailure, TaskStopped } from './handler.js';
export type { Handler, HandlerContext, HandlerTask, LogLevel, StopCode, TaskFailureOptions } from './handler.js';
export type { JsonObject, JsonValue } from './json.js';
export type {
  Attempt,
  Backoff,
  CreatedTask,
  NewTask,
  Page,
  Task,
  TaskError,
  TaskEvent,
  TaskFields,
  TaskLog,
  TaskPriority,
  TaskRefusal,
  TaskStatus,
} from './task.js';
export type { TraceContext } from './trace.js';
export { version } from './version.js';
export type { WatchOptions, WatchStart } from './watch.js';
export { Worker } from './worker.js';
export type { StopOptions, WorkerLogger, WorkerOptions } from './worker.js';
