import type { EventLog } from './event-log.js';
import type { LogEvent } from './events.js';

export type EventFilter = (event: LogEvent) => boolean;

/** First where it begins, then events. `start` comes again only after a reset. */
export type Watched = { start: { seq: number; reset: boolean } } | { event: LogEvent };

/** What may wait for one watcher; one that is slower reads the log at its own pace until it has caught up. */
const maxWaitingEvents = 10_000;
const pageSize = 250;

/** Events for one reader that takes them as it likes: from the log while it is behind, and as they happen when it is not. */
export class EventWatch {
  constructor(private readonly eventLog: EventLog) {}

  /** `since`: the last seq that the reader has seen; undefined: only what happens from now on. */
  async *watch(matches: EventFilter, since: number | undefined, signal: AbortSignal): AsyncGenerator<Watched> {
    const reset = since !== undefined && !(await this.eventLog.canResumeFrom(since));
    let cursor = since === undefined || reset ? this.eventLog.tail : since;
    yield { start: { seq: cursor, reset } };
    while (!signal.aborted) {
      cursor = yield* this.replay(cursor, matches, signal);
      cursor = yield* this.live(cursor, matches, signal);
    }
  }

  /** Until the reader has what the log has. Answers the `seq` up to which it has everything. */
  private async *replay(from: number, matches: EventFilter, signal: AbortSignal): AsyncGenerator<Watched, number> {
    let cursor = from;
    while (cursor < this.eventLog.tail && !signal.aborted) {
      const { tail } = this.eventLog;
      const events = await this.eventLog.read(cursor, tail, pageSize);
      // A gap is usually a number that was rolled back; here it may also be what the pruner has just taken.
      if (events[0]?.seq !== cursor + 1 && !(await this.eventLog.canResumeFrom(cursor))) {
        cursor = this.eventLog.tail;
        yield { start: { seq: cursor, reset: true } };
        continue;
      }
      cursor = events.length < pageSize ? tail : events.at(-1)!.seq;
      yield* matching(events, matches);
    }
    return cursor;
  }

  /** As they happen, until the reader falls behind. */
  private async *live(from: number, matches: EventFilter, signal: AbortSignal): AsyncGenerator<Watched, number> {
    // Something was handed on since the replay ended.
    if (this.eventLog.tail > from) return from;
    let cursor = from;
    let waiting: LogEvent[] = [];
    let through = from;
    let overflown = false;
    let wake = () => {};
    const listener = (events: LogEvent[]) => {
      // What the client has seen on a replica that is ahead of this one does not come twice.
      waiting.push(...events.filter(({ seq }) => seq > from));
      through = Math.max(from, this.eventLog.tail);
      if (waiting.length > maxWaitingEvents) {
        overflown = true;
        waiting = [];
        unsubscribe();
      }
      wake();
    };
    const unsubscribe = this.eventLog.subscribe(listener);
    const abort = () => wake();
    signal.addEventListener('abort', abort);
    try {
      while (!signal.aborted && !overflown) {
        if (!waiting.length) {
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (signal.aborted) resolve();
          });
          continue;
        }
        const events = waiting;
        waiting = [];
        const reached = through;
        yield* matching(events, matches);
        cursor = reached;
      }
      return cursor;
    } finally {
      unsubscribe();
      signal.removeEventListener('abort', abort);
    }
  }
}

function* matching(events: LogEvent[], matches: EventFilter): Generator<Watched> {
  for (const event of events) if (matches(event)) yield { event };
}
