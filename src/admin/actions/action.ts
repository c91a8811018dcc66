import type { Principal, Role } from '../../auth/principal.js';
import type { FieldError } from '../../errors/coded-error.js';
import type { Json, JsonObject } from '../../tasks/task.js';

/**
 * `safe` changes nothing that anybody would miss; `disruptive` makes callers or workers wait or go elsewhere; `destructive` cannot be undone;
 * `sensitive` gives out what may hold secrets.
 */
export const dangers = ['safe', 'disruptive', 'destructive', 'sensitive'] as const;
export type Danger = (typeof dangers)[number];

export const runStatuses = ['queued', 'running', 'completed', 'failed'] as const;
export type RunStatus = (typeof runStatuses)[number];

/** Why a run has failed. */
export interface RunError {
  code: string;
  message: string;
  fields?: FieldError[];
}

/** One time that an admin has had something done. */
export interface Run {
  id: string;
  action: string;
  parameters: JsonObject;
  dry_run: boolean;
  status: RunStatus;
  /** Who does it; null: every replica. */
  replica_id: string | null;
  created_by: string;
  /** Of the request that asked for it. */
  request_id: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  /** 0 to 100. */
  progress: number;
  progress_message: string | null;
  result: Json;
  error: RunError | null;
  /** What can be downloaded, for an hour after the end. */
  file_name: string | null;
  file_bytes: number | null;
}

/** What the code of an action may use while it runs. */
export interface RunContext {
  id: string;
  by: Principal;
  /** Fires when the replica stops: whoever takes long gives up then. */
  signal: AbortSignal;
  /** Is kept and told of now and then; cheap. */
  progress(percent: number, message: string): void;
  /** Keeps what can be downloaded. Throws beyond the limit of size. */
  file(name: string, chunks: AsyncIterable<Uint8Array>): Promise<void>;
}

/** What came of it. `once` is for the answer to the caller alone: it is kept nowhere. */
export interface Outcome {
  result: JsonObject;
  once?: JsonObject;
}

/** Who does it: the replica that was asked, the one that `replica_id` of the parameters names, or every one. */
export type Scope = 'here' | 'one' | 'every';

/** Something that admins can have the server do. */
export interface Action<Parameters extends object = object> {
  name: string;
  description: string;
  danger: Danger;
  /** The least role that may run it. */
  role: Extract<Role, 'admin' | 'root'>;
  parameters: new () => Parameters;
  scope: Scope;
  /** Takes long: is answered at once, and goes on. */
  job: boolean;
  /** Needs the token that a dry run with the same parameters has answered. */
  confirm?: boolean;
  /** Leaves something to download. */
  file?: boolean;
  /** Of parameters that are right by themselves: throws when the caller may not, and fills in what depends on who asks. */
  prepare?(parameters: Parameters, caller: Principal): Parameters | Promise<Parameters>;
  /** What is run when it was previewed at that time: what came to be since then has not been seen by whoever confirms. */
  asPreviewed?(parameters: Parameters, at: string): Parameters;
  /** What it would do. Without: there is no dry run. */
  preview?(parameters: Parameters, context: RunContext): Promise<JsonObject>;
  run(parameters: Parameters, context: RunContext): Promise<Outcome>;
}

/** Keeps the types of one action together while the list holds all kinds. */
export function action<Parameters extends object>(definition: Action<Parameters>): Action {
  return definition;
}
