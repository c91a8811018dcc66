import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { isTransient } from '../database/database-errors.js';
import { Batcher } from '../engine/batcher.js';
import { CodedError } from '../errors/coded-error.js';
import { SETTINGS, type Settings } from '../settings.js';
import { traceIdOf } from '../tracing/trace-context.js';
import type { AuditedRequest, NotedChange, RequestContext } from '../transport/request-context.js';
import type { RequestOrigin, RequestRecorder } from '../transport/request-recorder.js';
import { differing, kept, type AuditEntry } from './audit-record.js';
import { AuditStore } from './audit.store.js';
import { Refusals } from './refusals.js';

/** Requests of one statement. */
const maxRequests = 100;
/** Errors after which nobody knows what has become of a change, and the database may be away: their answers do not wait. */
const failures = ['INTERNAL', 'UNAVAILABLE'];

/** Writes the record of a request after the change and before its answer. */
@Injectable()
export class AuditTrail implements RequestRecorder, BeforeApplicationShutdown {
  private readonly logger = new Logger('Audit');
  private readonly refusals = new Refusals();
  private readonly pending = new Set<Promise<void>>();
  /** One statement at a time: each begins where the one before it has ended. */
  private readonly appends: Batcher<AuditEntry[], void>;

  constructor(
    store: AuditStore,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    const append = async (requests: AuditEntry[][]) => {
      await store.append(requests.flat());
      return requests.map(() => undefined);
    };
    this.appends = new Batcher(append, { maxItems: maxRequests, maxInFlight: 1 });
  }

  record(context: RequestContext, origin: RequestOrigin): Promise<void> | undefined {
    const { audit, failure } = context;
    if (!audit || audit.recorded) return undefined;
    audit.recorded = true;
    if (!this.isKept(audit, failure)) return undefined;
    const entries = this.entriesOf(context, audit, origin);
    if (entries.length === 0) return undefined;
    const written = this.appends.add(entries);
    const done = written.catch((error: unknown) => {
      this.logger.error(`A request was not recorded in the audit log: ${(error as Error).message}`);
      if (failure === undefined) throw notRecorded(error);
    });
    const settled = done.catch(() => undefined).finally(() => this.pending.delete(settled));
    this.pending.add(settled);
    return failure !== undefined && failures.includes(failure) ? undefined : done;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.pending);
  }

  private isKept({ operation, unchanged }: AuditedRequest, failure: string | undefined): boolean {
    if (unchanged && failure === undefined) return false;
    if (!operation.startsWith('tasks.')) return true;
    const { AUDIT_TASKS } = this.settings;
    return AUDIT_TASKS === 'all' || (AUDIT_TASKS === 'changes' && operation !== 'tasks.create');
  }

  /** One for each change; one without, when nobody has said what was changed. */
  private entriesOf(
    context: RequestContext,
    { operation, changes, more }: AuditedRequest,
    { door, address, target }: RequestOrigin,
  ): AuditEntry[] {
    const { principal, failure, request_id = null, trace } = context;
    if (!principal) return [];
    const noted: NotedChange[] = [...changes];
    // What was done of a request that was refused in part is told in any case.
    if (failure !== undefined && noted.length === 0) {
      const left = this.refusals.take(`${principal.tenant_id} ${principal.name}`);
      if (left === undefined) return [];
      if (left > 0) noted.push({ id: null, after: { refused_and_not_recorded: left } });
    }
    if (more > 0) noted.push({ id: null, after: { more_changes: more } });
    if (noted.length === 0) noted.push({ id: null });
    const shared = {
      at: new Date().toISOString(),
      tenant_id: principal.tenant_id,
      principal: principal.name,
      role: principal.role,
      door,
      operation,
      outcome: failure ?? 'ok',
      request_id,
      trace_id: trace ? traceIdOf(trace.traceparent) : null,
      address: address ?? null,
    };
    const named = noted.length === 1 ? target : null;
    return noted.map(({ id, ...change }) => {
      const { before, after } = differing(change.before, change.after);
      return { ...shared, target: id ?? named, before: kept(before), after: kept(after) };
    });
  }
}

function notRecorded(cause: unknown): CodedError {
  // Away, as it may be before and after any change.
  const code = isTransient(cause as Error) ? 'UNAVAILABLE' : 'INTERNAL';
  return new CodedError(
    code,
    'The change was made, but it could not be recorded in the audit log. Do not repeat it: read what there is now, and tell who runs this server.',
    [],
    { cause },
  );
}
