import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { noteChange, noteUnchanged } from '../../audit/note-change.js';
import type { Principal } from '../../auth/principal.js';
import { ConfigStore } from '../../config/config.store.js';
import type { Queryable } from '../../database/database.js';
import { invalid } from '../../errors/coded-error.js';
import { WakeUps } from '../../events/wake-ups.js';
import { pageOf, type Page } from '../../input/page.js';
import { validateInput } from '../../input/validate.js';
import { Idempotency } from '../../tasks/idempotency.js';
import type { Json, JsonObject } from '../../tasks/task.js';
import { REPLICA_ID } from '../../workers/workers.tokens.js';
import type { Action, Danger, Run, Scope } from './action.js';
import { ActionFiles } from './action-files.js';
import { ActionRegistry } from './action-registry.js';
import { ActionRunner, confirmSeconds, digestOf } from './action-runner.js';
import type { ListRunsDto, RunActionDto } from './actions.dto.js';
import { badConfirm, fromRunError, noDryRun, noFile, replicaNotFound, roleTooLow, runNotFound } from './actions.errors.js';
import { ActionsStore } from './actions.store.js';
import { parameterSchema } from './parameter-schema.js';

/** So long is waited for the other replicas where every one does something short. */
const everyMs = 5_000;

/** An action as it is described. */
export interface ActionAnswer {
  action: string;
  description: string;
  danger: Danger;
  role: Action['role'];
  operation: 'admin.act';
  scope: Scope;
  job: boolean;
  dry_run: boolean;
  confirm: boolean;
  file: boolean;
  /** JSON Schema. */
  parameters: Record<string, unknown>;
}

/** The answer to whoever has something done. */
export type RanAnswer = Run & {
  /** Kept nowhere, and in no other answer. */
  shown_once: JsonObject | null;
};

export interface Ran {
  answer: RanAnswer;
  /** By an earlier call with the same Idempotency-Key. */
  replayed: boolean;
}

/** What is to be done, with everything checked that can be checked before. */
interface Wanted {
  action: Action;
  parameters: JsonObject;
  dry_run: boolean;
  confirm: string | undefined;
  caller: Principal;
  request_id: string | null;
  /** Who does it; null: every replica. */
  replica_id: string | null;
}

/** What admins can have the server do, for all doors alike. */
@Injectable()
export class ActionsService {
  constructor(
    private readonly registry: ActionRegistry,
    private readonly runner: ActionRunner,
    private readonly store: ActionsStore,
    private readonly files: ActionFiles,
    private readonly idempotency: Idempotency,
    private readonly replicas: ConfigStore,
    private readonly wakeUps: WakeUps,
    @Inject(REPLICA_ID) private readonly replicaId: string,
  ) {}

  describe(): { items: ActionAnswer[] } {
    const items = this.registry.all.map(
      ({ name, description, danger, role, scope, job, confirm = false, file = false, parameters, preview }) => ({
        action: name,
        description,
        danger,
        role,
        operation: 'admin.act' as const,
        scope,
        job,
        dry_run: preview !== undefined,
        confirm,
        file,
        parameters: parameterSchema(parameters),
      }),
    );
    return { items };
  }

  /**
   * Has something done: answers when it has ended, unless it is a job, or another replica's. The one place through which all of them pass, whatever the
   * door and the outcome.
   */
  async run(caller: Principal, input: RunActionDto, requestId?: string, idempotencyKey?: string): Promise<Ran> {
    const wanted = await this.check(caller, input, requestId).catch((error: unknown) => {
      noteChange({ id: null, after: { action: input.action, dry_run: input.dry_run } });
      throw error;
    });
    if (wanted.dry_run) noteUnchanged();
    if (idempotencyKey === undefined) {
      const run = await this.store.transaction((transaction) => this.create(wanted, transaction));
      return { answer: await this.begin(wanted, run), replayed: false };
    }
    const { action, parameters, dry_run, confirm } = input;
    const body = { action, parameters: parameters as JsonObject, dry_run, confirm: confirm ?? null } satisfies Json;
    const call = { tenant_id: caller.tenant_id, key: idempotencyKey, operation: 'admin.act', body };
    let created: Run | undefined;
    const { answer } = await this.idempotency.once(call, async (transaction) => {
      created = await this.create(wanted, transaction);
      return { id: created.id };
    });
    if (!created) noteUnchanged();
    if (created) return { answer: await this.begin(wanted, created), replayed: false };
    const run = await this.get(answer.id);
    // Of what every replica does, the answer says which of them failed.
    if (run.error && isAwaited(wanted) && run.replica_id !== null) throw fromRunError(run.error);
    return { answer: { ...run, shown_once: null }, replayed: true };
  }

  async get(id: string): Promise<Run> {
    const run = await this.store.find(id);
    if (!run) throw runNotFound(id);
    return run;
  }

  async list({ cursor, limit, action, status }: ListRunsDto): Promise<Page<Run, string>> {
    return pageOf(await this.store.list(cursor, action, status, limit + 1), limit, ({ id }) => id);
  }

  /** What a run has left to download. */
  async file(id: string): Promise<{ name: string; bytes: number; pieces: AsyncGenerator<Buffer> }> {
    const { status, file_name, file_bytes } = await this.get(id);
    if (status !== 'completed' || file_name === null || file_bytes === null) throw noFile(id);
    return { name: file_name, bytes: file_bytes, pieces: this.files.read(id) };
  }

  /** One MiB of it. */
  async piece(id: string, position: number): Promise<{ name: string; data: Buffer; last: boolean }> {
    const { name, bytes } = await this.file(id);
    const [data, next] = [await this.store.piece(id, position), await this.store.piece(id, position + 1)];
    if (!data) throw invalid([{ field: 'position', message: `is beyond the end: the file has ${bytes} bytes in pieces of 1 MiB` }]);
    return { name, data, last: next === undefined };
  }

  private async check(caller: Principal, input: RunActionDto, requestId: string | undefined): Promise<Wanted> {
    const { dry_run, confirm } = input;
    const action = this.registry.find(input.action);
    if (!action) {
      throw invalid([{ field: 'action', message: `must be one of ${this.registry.all.map(({ name }) => name).join(', ')}` }]);
    }
    if (action.role === 'root' && caller.role !== 'root') throw roleTooLow(action, caller.role);
    const given = validateInput(action.parameters, input.parameters, 'parameters');
    const prepared = (await action.prepare?.(given, caller)) ?? given;
    if (dry_run && !action.preview) throw noDryRun(action);
    if (confirm !== undefined && (dry_run || !action.confirm)) throw badConfirm(action, 'must be absent here');
    if (confirm === undefined && action.confirm && !dry_run) throw badConfirm(action, 'must be the token that a dry run has answered');
    return {
      action,
      parameters: JSON.parse(JSON.stringify(prepared)) as JsonObject,
      dry_run,
      confirm,
      caller,
      request_id: requestId ?? null,
      replica_id: this.replicaFor(action, dry_run, prepared),
    };
  }

  private replicaFor({ scope }: Action, dryRun: boolean, { replica_id = this.replicaId }: { replica_id?: string }): string | null {
    // A dry run is short wherever it is made, and says the same of the cluster.
    if (scope === 'here' || dryRun) return this.replicaId;
    return scope === 'every' ? null : replica_id;
  }

  private async running(db: Queryable): Promise<string[]> {
    return (await this.replicas.acknowledgements(0, db)).map(({ replica_id }) => replica_id);
  }

  private async create(wanted: Wanted, db: Queryable): Promise<Run> {
    const { action, dry_run, confirm, caller, request_id, replica_id } = wanted;
    const parameters = confirm === undefined ? wanted.parameters : await this.confirmed(wanted, confirm, db);
    const running = replica_id === this.replicaId ? [] : await this.running(db);
    const isOwn = replica_id === null || replica_id === this.replicaId;
    if (!isOwn && !running.includes(replica_id)) throw replicaNotFound(replica_id, running);
    const common = { action: action.name, parameters, dry_run, created_by: caller.name, request_id };
    const status = isOwn ? 'running' : 'queued';
    const run = await this.store.create({ ...common, id: randomUUIDv7(), replica_id, parent_id: null, status }, db);
    noteChange({ id: run.id, after: { action: action.name, parameters, dry_run, replica_id } });
    if (replica_id !== null) return run;
    for (const each of new Set([this.replicaId, ...running])) {
      await this.store.create({ ...common, id: randomUUIDv7(), replica_id: each, parent_id: run.id, status: 'queued' }, db);
    }
    return run;
  }

  /** Takes the token of a dry run: once, of the same caller, for the same parameters. Answers those that are run. */
  private async confirmed({ action, parameters, caller }: Wanted, token: string, db: Queryable): Promise<JsonObject> {
    const preview = await this.store.preview(digestOf(token), db);
    if (!preview || preview.action !== action.name) throw badConfirm(action, 'is not a token that a dry run has answered');
    if (preview.created_by !== caller.name) throw badConfirm(action, 'is the token of a dry run of somebody else');
    if (preview.confirmed_at !== null) throw badConfirm(action, `was used already, at ${preview.confirmed_at}`);
    if (preview.age_seconds > confirmSeconds) throw badConfirm(action, `has expired: it holds for ${confirmSeconds / 60} minutes`);
    if (!sameParameters(preview.parameters, parameters)) throw badConfirm(action, 'is the token of a dry run with other parameters');
    await this.store.confirm(preview.id, db);
    return { ...(action.asPreviewed?.(parameters, preview.created_at) ?? parameters) };
  }

  private async begin(wanted: Wanted, run: Run): Promise<RanAnswer> {
    const { action, replica_id, caller } = wanted;
    this.wakeUps.signal('events');
    if (replica_id === this.replicaId) {
      const ending = this.runner.execute(run, caller, isAwaited(wanted));
      if (!isAwaited(wanted)) return { ...run, shown_once: null };
      const { run: ended, once, error } = await ending;
      if (error !== undefined) throw error;
      return { ...ended, shown_once: once };
    }
    this.wakeUps.signal('admin_actions');
    return { ...(action.job ? run : await this.ended(run)), shown_once: null };
  }

  /** As it is when it has ended, or after a while. */
  private async ended(run: Run): Promise<Run> {
    const deadline = performance.now() + everyMs;
    for (let now = run; ; now = await this.get(run.id)) {
      const left = deadline - performance.now();
      if (now.finished_at !== null || left <= 0) return now;
      await this.woken(Math.min(left, 250));
    }
  }

  private woken(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        unsubscribe();
        clearTimeout(timer);
        resolve();
      };
      const unsubscribe = this.wakeUps.on('admin_actions', done);
      const timer = setTimeout(done, milliseconds);
    });
  }
}

/** Whether the caller waits for its end. */
function isAwaited({ action, dry_run }: Wanted): boolean {
  return !action.job || dry_run;
}

function sameParameters(one: JsonObject, other: JsonObject): boolean {
  const sorted = (parameters: JsonObject) => JSON.stringify(Object.entries(parameters).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return sorted(one) === sorted(other);
}
