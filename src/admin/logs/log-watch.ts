import { Injectable } from '@nestjs/common';
import { WakeUps } from '../../events/wake-ups.js';
import { LogsStore, type LogFilter, type StoredLine } from './logs.store.js';

/** A look is at least so far from the one before, however many replicas store lines. */
const restMs = 250;
/** A hint may be lost. */
const pollMs = 30_000;

/** First where it begins, then lines. `start` comes again after a reset. */
export type WatchedLines = { start: LogStart } | { lines: StoredLine[]; through: number };

export interface LogStart {
  /** Lines after this one will come. */
  id: number;
  /** Lines before it are gone that the reader has not seen. */
  reset: boolean;
}

/**
 * Lines as they are stored, for one reader that takes them as it likes. It reads them from the database at its own pace, so nothing
 * waits for it in memory, and it looks only when a replica says that it has stored something.
 */
@Injectable()
export class LogWatch {
  /** Readers of this replica. */
  readers = 0;

  constructor(
    private readonly store: LogsStore,
    private readonly wakeUps: WakeUps,
  ) {}

  /** `after`: the last line that the reader has seen; undefined: only what is stored from now on. */
  async *watch(filter: LogFilter, after: number | undefined, signal: AbortSignal): AsyncGenerator<WatchedLines> {
    const alarm = new Alarm(this.wakeUps, signal);
    this.readers += 1;
    try {
      let position = after ?? (await this.store.tail());
      let begun = false;
      while (!signal.aborted) {
        alarm.set();
        const { lines, through, tail, lost } = await this.store.after(filter, position);
        if (lost) position = tail;
        if (lost || !begun) yield { start: { id: position, reset: lost } };
        begun = true;
        if (lost) continue;
        position = through;
        if (lines.length > 0) yield { lines, through };
        if (through >= tail) await alarm.rings();
      }
    } finally {
      this.readers -= 1;
      alarm.stop();
    }
  }
}

/** Rings at the first hint after it was set, at the poll, or at the end. */
class Alarm {
  private rung = false;
  private wake = () => {};
  private readonly ring = () => {
    this.rung = true;
    this.wake();
  };
  private readonly unsubscribe: () => void;

  constructor(
    wakeUps: WakeUps,
    private readonly signal: AbortSignal,
  ) {
    this.unsubscribe = wakeUps.on('logs', this.ring);
    signal.addEventListener('abort', this.ring);
  }

  /** Before a look: what is hinted from now on may be missing from it. */
  set(): void {
    this.rung = this.signal.aborted;
  }

  async rings(): Promise<void> {
    await this.until(pollMs, () => this.rung);
    if (!this.signal.aborted) await this.until(restMs, () => this.signal.aborted);
  }

  stop(): void {
    this.unsubscribe();
    this.signal.removeEventListener('abort', this.ring);
  }

  private until(milliseconds: number, isOver: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, milliseconds);
      const check = () => isOver() && done();
      function done() {
        clearTimeout(timer);
        resolve();
      }
      this.wake = check;
      check();
    });
  }
}
