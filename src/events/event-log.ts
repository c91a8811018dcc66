import type { Database } from '../database/database.js';
import type { EventBatch, EventRelay } from './event-relay.js';
import type { LogEvent } from './events.js';
import { countEvents, eventBounds, eventWriters, readEvents, readTaskEvents } from './stored-events.js';
import type { WakeUps } from './wake-ups.js';

const endOfLog = Number.MAX_SAFE_INTEGER;
const pageSize = 1_000;
const pollMs = 5_000;
const writerPollMs = 3;
/** How long a wake-up waits for the leader's batch before this replica reads the log itself. */
const batchPatienceMs = 30;

/**
 * The tail of the event log, for this process.
 *
 * A number taken earlier may commit later, so a reader that simply remembers the last `seq` it saw would skip rows.
 * The tail stops at a gap, notes which transactions were writing events at that moment, and goes on when all of them
 * have ended: by then the missing row is visible, or was rolled back and never will be (docs/decisions/0004).
 *
 * With a relay the leader's batches save most of these reads. `position` alone decides what is new, so what is lost on
 * the way is read from the log, and what comes twice is dropped (docs/decisions/0007).
 */
export class EventLog {
  private readonly listeners = new Set<(events: LogEvent[]) => void>();
  /** Events handed on, by where they came from. */
  readonly counts = { log: 0, relay: 0 };
  private position = -1;
  private draining: Promise<void> | undefined;
  private woken = false;
  private stopped = false;
  private pollTimer: NodeJS.Timeout | undefined;
  private batchTimer: NodeJS.Timeout | undefined;
  /** Wake-ups since `batchTimer` was set: what the last of them meant may not be in the next batch. */
  private hints = 0;
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly database: Database,
    private readonly wakeUps: WakeUps,
    private readonly onError: (error: Error) => void,
    private readonly relay?: EventRelay,
  ) {}

  async start(): Promise<void> {
    const { last } = await eventBounds(this.database.api);
    await this.writersGone(await eventWriters(this.database.loops));
    this.position = last;
    this.unsubscribe = this.wakeUps.on('events', () => this.hint());
    this.relay?.onBatch((batch) => this.take(batch));
    this.schedulePoll();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.unsubscribe?.();
    clearTimeout(this.pollTimer);
    clearTimeout(this.batchTimer);
    await this.draining;
    // Whoever follows waits for the log to grow; this is their last wake-up.
    for (const listener of this.listeners) listener([]);
  }

  /** Resolves when everything that is committed now lies at or below `tail`. */
  async catchUp(): Promise<void> {
    this.wake();
    await this.draining;
    // A wake-up that came just as the last drain ended has begun another.
    await this.draining;
  }

  /** Every event up to this `seq` has been handed to the listeners. */
  get tail(): number {
    return this.position;
  }

  /**
   * `listener` gets every event after the present `tail`, in order, in batches. It must not throw or wait.
   * Listen only while there is something to hear for: without listeners nothing is read.
   */
  subscribe(listener: (events: LogEvent[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Every event after `since`, of one task or of all, from the log and then as they happen. Ends with `signal`.
   * The caller's pace is the pace: what it has not asked for yet stays in the database.
   */
  async *follow(since: number, signal: AbortSignal, task?: { tenant_id: string; id: string }): AsyncGenerator<LogEvent[]> {
    let cursor = since;
    while (!signal.aborted && !this.stopped) {
      const tail = this.tail;
      if (cursor >= tail) {
        await this.grown(tail, signal);
        continue;
      }
      const events = task ? await this.readTask(task, cursor, tail) : await this.read(cursor, tail);
      cursor = events.length < pageSize ? tail : events.at(-1)!.seq;
      if (events.length) yield events;
    }
  }

  /** Events after `since` up to `through`, at most a page. */
  read(since: number, through = this.tail, limit = pageSize): Promise<LogEvent[]> {
    return readEvents(this.database.api, since, through, limit);
  }

  /**
   * The same of one task, by default all that is visible: transitions of one task exclude each other, so nothing of it can
   * appear below what has been seen.
   */
  readTask(task: { tenant_id: string; id: string }, since: number, through = endOfLog, limit = pageSize): Promise<LogEvent[]> {
    return readTaskEvents(this.database.api, task, since, through, limit);
  }

  /** Whether a client that saw everything up to `since` can be told the rest without a hole. */
  async canResumeFrom(since: number): Promise<boolean> {
    const { pruned_through, last } = await eventBounds(this.database.api);
    return since >= pruned_through && since <= Math.max(last, this.tail);
  }

  private grown(tail: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        unsubscribe();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const unsubscribe = this.subscribe(done);
      signal.addEventListener('abort', done);
      if (this.tail > tail || signal.aborted || this.stopped) done();
    });
  }

  /** The log has grown. */
  private hint(): void {
    this.hints++;
    if (!this.relay?.delivers) return this.wake();
    this.batchTimer ??= setTimeout(() => this.wake(), batchPatienceMs);
  }

  private take({ from, through, events }: EventBatch): void {
    if (this.stopped || through <= this.position) return;
    // What is missing is in the log, and so is the batch.
    if (from > this.position || !events) return this.wake();
    this.handOn(events, through, 'relay');
    const more = this.hints > 1;
    this.forgetHints();
    if (more) this.hint();
  }

  private forgetHints(): void {
    this.hints = 0;
    clearTimeout(this.batchTimer);
    this.batchTimer = undefined;
  }

  private wake(): void {
    this.forgetHints();
    this.woken = true;
    this.draining ??= this.drain()
      .catch(this.onError)
      .finally(() => {
        this.draining = undefined;
        // A wake-up between the last read and here must not be lost.
        if (this.woken && !this.stopped) this.wake();
      });
  }

  private schedulePoll(): void {
    this.pollTimer = setTimeout(
      () => {
        this.wake();
        this.schedulePoll();
      },
      pollMs * (0.75 + Math.random() / 2),
    ).unref();
  }

  private async drain(): Promise<void> {
    while (this.woken && !this.stopped) {
      this.woken = false;
      let more = true;
      while (more && !this.stopped) more = this.isHeard ? await this.readPage() : await this.skipPage();
    }
  }

  private get isHeard(): boolean {
    return this.listeners.size > 0 || this.relay !== undefined;
  }

  /** Answers whether there may be more. */
  private async readPage(): Promise<boolean> {
    const page = await readEvents(this.database.loops, this.position, endOfLog, pageSize);
    if (page.length) await this.advance(page);
    return page.length === pageSize;
  }

  /** Nobody listens: the tail moves on by the same rule, and the events stay where they are. */
  private async skipPage(): Promise<boolean> {
    const { count, last } = await countEvents(this.database.loops, this.position, pageSize);
    if (last - this.position > count) await this.writersGone(await eventWriters(this.database.loops));
    // Whoever has come meanwhile is to hear what came after the tail that it saw.
    if (this.isHeard) return true;
    this.position = last;
    return count === pageSize;
  }

  private async advance(page: LogEvent[]): Promise<void> {
    const through = page.at(-1)!.seq;
    // While the page was read, a batch may have brought some of it.
    const fresh = this.after(page);
    const firstGap = fresh.findIndex((event, index) => event.seq !== this.position + index + 1);
    if (firstGap < 0) return this.handOn(fresh, through, 'log');
    if (firstGap > 0) this.handOn(fresh.slice(0, firstGap), fresh[firstGap - 1]!.seq, 'log');
    await this.writersGone(await eventWriters(this.database.loops));
    const settled = await readEvents(this.database.loops, this.position, through, endOfLog);
    this.handOn(settled, through, 'log');
  }

  /** `events` are all there are between the present position, or an earlier one, and `through`. */
  private handOn(events: LogEvent[], through: number, source: 'log' | 'relay'): void {
    const from = this.position;
    if (through <= from) return;
    const fresh = this.after(events);
    this.position = through;
    this.counts[source] += fresh.length;
    // First to those who are farther away.
    if (source === 'log') this.relay?.publish({ from, through, events: fresh });
    for (const listener of this.listeners) listener(fresh);
  }

  private after(events: LogEvent[]): LogEvent[] {
    return events[0] && events[0].seq <= this.position ? events.filter((event) => event.seq > this.position) : events;
  }

  /** Resolves when none of these transactions is open any more. */
  private async writersGone(before: Set<string>): Promise<void> {
    while (before.size && !this.stopped) {
      await new Promise((resolve) => setTimeout(resolve, writerPollMs));
      before = before.intersection(await eventWriters(this.database.loops));
    }
  }
}
