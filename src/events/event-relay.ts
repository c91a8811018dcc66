import { adminActions, alertActions, configActions, taskActions, type LogEvent } from './events.js';
import type { RedisBus } from './redis-bus.js';

/** All events after `from` up to `through`, settled: none of these numbers can still appear. */
export interface EventBatch {
  from: number;
  through: number;
  /** Absent when they are too many to be sent: then they are to be read from the log. */
  events?: LogEvent[];
}

const maxBytes = 512 * 1024;
/** With more than these on their way Redis is slower than the log. */
const maxInFlight = 16;

/** Hands the batches that the leader has read to the other replicas, so that one read of the log serves them all. */
export class EventRelay {
  private inFlight = 0;

  constructor(
    private readonly bus: RedisBus,
    private readonly isLeader: () => boolean,
    private readonly onWrongMessage: () => void,
  ) {}

  /** Whether a batch of another replica is to be expected when the log has grown. */
  get delivers(): boolean {
    return this.bus.connected && !this.isLeader();
  }

  publish(batch: Required<EventBatch>): void {
    if (!this.bus.connected || !this.isLeader()) return;
    this.inFlight++;
    // Why Redis did not take it has been reported by the bus; the others read the log.
    void this.bus
      .publish('events', encode(batch, this.inFlight > maxInFlight ? 0 : maxBytes))
      .catch(() => undefined)
      .finally(() => this.inFlight--);
  }

  onBatch(listener: (batch: EventBatch) => void): void {
    this.bus.on('events', (text) => {
      const batch = decode(text);
      if (batch) listener(batch);
      else this.onWrongMessage();
    });
  }
}

/** Without its events when they take more than `limit` bytes, which is noticed before all of them are encoded. */
function encode({ from, through, events }: Required<EventBatch>, limit: number): string {
  const parts: string[] = [];
  for (const event of events) {
    const part = JSON.stringify(event);
    limit -= Buffer.byteLength(part);
    if (limit < 0) return JSON.stringify({ from, through });
    parts.push(part);
  }
  return `{"from":${from},"through":${through},"events":[${parts.join(',')}]}`;
}

/** Undefined unless it has the shape of a batch: anybody who reaches this Redis may have written it. */
function decode(text: string): EventBatch | undefined {
  if (text.length > 2 * maxBytes) return undefined;
  let batch: EventBatch;
  try {
    batch = JSON.parse(text) as EventBatch;
  } catch {
    return undefined;
  }
  if (!isObject(batch) || !isSeq(batch.from) || !isSeq(batch.through) || batch.from >= batch.through) return undefined;
  const { from, through, events = [] } = batch;
  if (!Array.isArray(events)) return undefined;
  let last = from;
  for (const event of events) {
    if (!isEvent(event) || event.seq <= last) return undefined;
    last = event.seq;
  }
  return last <= through ? batch : undefined;
}

const knownActions: ReadonlySet<unknown> = new Set([...taskActions, ...alertActions, ...configActions, ...adminActions]);

function isEvent(event: unknown): event is LogEvent {
  if (!isObject(event)) return false;
  const { seq, tenant_id, task_id, action, at, data } = event;
  const texts = [tenant_id, task_id, at].every((value) => typeof value === 'string');
  return isSeq(seq) && texts && knownActions.has(action) && isObject(data);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
