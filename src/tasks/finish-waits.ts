import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { EventLog } from '../events/event-log.js';
import { finishingActions, type LogEvent } from '../events/events.js';

/** Lets callers wait for the end of a task: one subscription to the event log for all of them, while there are any. */
@Injectable()
export class FinishWaits implements OnModuleDestroy {
  private readonly waits = new Map<string, Set<() => void>>();
  private unsubscribe: (() => void) | undefined;

  constructor(private readonly eventLog: EventLog) {}

  /** At shutdown everybody is answered with what is known now. */
  onModuleDestroy(): void {
    for (const wakes of this.waits.values()) for (const wake of wakes) wake();
  }

  /**
   * Resolves after the task's next finishing event, or after `seconds`. `finished` is asked once the wait is set up, so that
   * an end between the caller's last look and now is not missed.
   */
  async until(taskId: string, seconds: number, finished: () => Promise<boolean>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wakes = this.waits.get(taskId) ?? new Set();
    this.waits.set(taskId, wakes.add(resolve));
    this.unsubscribe ??= this.eventLog.subscribe((events) => this.tell(events));
    const timer = setTimeout(resolve, seconds * 1_000);
    try {
      if (!(await finished())) await promise;
    } finally {
      clearTimeout(timer);
      wakes.delete(resolve);
      if (!wakes.size) this.waits.delete(taskId);
      if (!this.waits.size) this.stopListening();
    }
  }

  private tell(events: LogEvent[]): void {
    for (const event of events) {
      if ((finishingActions as readonly string[]).includes(event.action)) for (const wake of this.waits.get(event.task_id) ?? []) wake();
    }
  }

  private stopListening(): void {
    this.unsubscribe?.();
    this.unsubscribe = undefined;
  }
}
