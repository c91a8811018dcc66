import type { Engine } from '../engine/engine.js';
import type { Lease } from '../engine/task-row.js';
import type { LogLine } from '../engine/transitions/append-logs.js';
import type { Progress } from '../engine/transitions/progress.js';
import type { LogLevel } from '../handlers/handler.js';
import type { JsonObject } from '../tasks/task.js';
import type { AttemptReports } from './attempt.js';

const flushMs = 100;
/** Lines of one statement; a handler that logs faster than the database stores loses the middle, not the server. */
const maxLines = 1_000;
const maxBufferedLines = 20_000;

/** Gathers progress and log lines of all attempts of this runner and stores them in bulk; of progress the latest wins. */
export class ReportBuffer implements AttemptReports {
  private readonly latestProgress = new Map<string, Progress>();
  private lines: LogLine[] = [];
  /** Lease tokens of attempts with something in the buffer, and in the statement under way. */
  private speakers = new Set<string>();
  private storing: Set<string> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly onError: (error: Error) => void,
  ) {}

  progress(lease: Lease, percent: number, message: string | null): void {
    this.latestProgress.set(lease.id, { ...lease, progress: percent, progress_message: message });
    this.schedule(lease);
  }

  log(lease: Lease, level: LogLevel, message: string, data: JsonObject | null): void {
    if (this.lines.length < maxBufferedLines) this.lines.push({ ...lease, level, message, data });
    this.schedule(lease);
  }

  /** What this attempt has said so far is stored when this resolves. Call before it is settled: later its lease is gone. */
  async flushOf(lease: Lease): Promise<void> {
    if (this.speakers.has(lease.lease_token)) await this.flush();
    else if (this.storing?.has(lease.lease_token)) await this.flushing;
  }

  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    while (this.flushing) await this.flushing;
    if (!this.speakers.size) return;
    this.flushing = this.store().finally(() => (this.flushing = undefined));
    await this.flushing;
  }

  private schedule(lease: Lease): void {
    this.speakers.add(lease.lease_token);
    this.timer ??= setTimeout(() => void this.flush(), flushMs);
  }

  private async store(): Promise<void> {
    const progress = [...this.latestProgress.values()];
    this.latestProgress.clear();
    const lines = this.lines;
    this.lines = [];
    this.storing = this.speakers;
    this.speakers = new Set();
    try {
      if (progress.length) await this.engine.progress(progress);
      for (let start = 0; start < lines.length; start += maxLines) await this.engine.appendLogs(lines.slice(start, start + maxLines));
    } catch (error) {
      this.onError(error as Error);
    } finally {
      this.storing = undefined;
    }
  }
}
