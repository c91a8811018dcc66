import { onceAMinute } from '../../events/once-a-minute.js';
import type { WakeUps } from '../../events/wake-ups.js';
import { logLevels, type LogLine } from '../../logging/log-line.js';
import type { LogTap } from '../../logging/log-tap.js';
import type { Settings } from '../../settings.js';
import type { LogsStore } from './logs.store.js';

/** Lines are stored so long after the first of them. */
const gatherMs = 1_000;
const retryMs = 2_000;
/** What waits for a database that is away; beyond it the oldest go, those that are less severe first. */
const maxWaiting = 1_000;
const maxWaitingLength = 4 * 1024 * 1024;
const batchSize = 500;
/** A database that is away does not hold up the end of the server. */
const stopMs = 2_000;

/** How storing goes on this replica. */
export interface LogStorageState {
  /** Since the start. */
  stored: number;
  /** More than are stored in a second, or than may wait for a database. */
  left_out: number;
  waiting: number;
  /** Whether the last storing has failed. */
  failing: boolean;
}

/** Stores what the tap of the logger has, once a second and only when there is something. What it logs itself it stores like anything else. */
export class LogStorage {
  private waiting: LogLine[] = [];
  private waitingLength = 0;
  /** Left out, and not yet told. */
  private untold = 0;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;
  private readonly counts = { stored: 0, left_out: 0 };
  private failing = false;
  private readonly warn: (error: Error) => void;

  constructor(
    private readonly tap: LogTap,
    private readonly store: LogsStore,
    private readonly wakeUps: WakeUps,
    private readonly replicaId: string,
    private readonly settings: Pick<Settings, 'LOGS_STORED_PER_SECOND' | 'LOGS_MAX_LINES'>,
    warn: (message: string) => void,
  ) {
    this.warn = onceAMinute((error: Error) =>
      warn(`Lines of the log could not be stored; they wait, the newest ${maxWaiting} of them: ${error.message}`),
    );
  }

  get state(): LogStorageState {
    return { ...this.counts, waiting: this.waiting.length, failing: this.failing };
  }

  start(): void {
    this.heedSettings();
    this.tap.onFirst = () => this.plan(gatherMs);
    if (!this.tap.isEmpty) this.plan(gatherMs);
  }

  /** Takes on LOGS_STORED_PER_SECOND. */
  heedSettings(): void {
    this.tap.limit = this.settings.LOGS_STORED_PER_SECOND;
  }

  /** What was logged until now is stored, if the database is there. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.tap.onFirst = () => undefined;
    clearTimeout(this.timer);
    let late: NodeJS.Timeout | undefined;
    const last = (async () => {
      await this.running;
      await this.turn();
    })();
    await Promise.race([last, new Promise<void>((resolve) => (late = setTimeout(resolve, stopMs)))]);
    clearTimeout(late);
  }

  private plan(delayMs: number): void {
    if (this.stopped || this.timer || this.running) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.running = this.turn().finally(() => {
        this.running = undefined;
        if (this.waiting.length > 0 || this.untold > 0) this.plan(retryMs);
        else if (!this.tap.isEmpty) this.plan(gatherMs);
      });
    }, delayMs).unref();
  }

  private async turn(): Promise<void> {
    const { lines, left_out } = this.tap.take();
    for (const line of lines) this.add(line);
    this.leaveOut(left_out);
    while (this.waiting.length > 0 || this.untold > 0) if (!(await this.storeSome())) return;
  }

  private async storeSome(): Promise<boolean> {
    const batch = this.waiting.slice(0, batchSize);
    const { untold } = this;
    const lines = untold > 0 ? [...batch, this.leftOutLine(untold)] : batch;
    try {
      await this.store.add(this.replicaId, lines, this.settings.LOGS_MAX_LINES);
    } catch (error) {
      this.failing = true;
      this.warn(error as Error);
      if (!isRefusal(error)) return false;
      // The same lines would be refused again and again.
      this.forget(batch);
      this.leaveOut(batch.length);
      return batch.length > 0;
    }
    this.failing = false;
    this.counts.stored += lines.length;
    this.untold -= untold;
    this.forget(batch);
    this.wakeUps.signal('logs');
    return true;
  }

  private leftOutLine(count: number): LogLine {
    const msg = `${count} ${count === 1 ? 'line was' : 'lines were'} not kept: more than LOGS_STORED_PER_SECOND, or than can wait for the database`;
    const fields = JSON.stringify({ left_out: count });
    return { at: new Date().toISOString(), level: logLevels.warn, msg, request_id: null, trace_id: null, task_id: null, fields };
  }

  private add(line: LogLine): void {
    this.waiting.push(line);
    this.waitingLength += lengthOf(line);
    while (this.waiting.length > maxWaiting || this.waitingLength > maxWaitingLength) {
      const index = this.waiting.findIndex(({ level }) => level < logLevels.warn);
      const [gone] = this.waiting.splice(Math.max(0, index), 1);
      this.waitingLength -= lengthOf(gone!);
      this.leaveOut(1);
    }
  }

  private leaveOut(count: number): void {
    this.untold += count;
    this.counts.left_out += count;
  }

  /** Some of them may be gone already. */
  private forget(batch: LogLine[]): void {
    const done = new Set(batch);
    this.waiting = this.waiting.filter((line) => !done.has(line));
    this.waitingLength = this.waiting.reduce((length, line) => length + lengthOf(line), 0);
  }
}

function lengthOf({ msg, fields }: LogLine): number {
  return msg.length + fields.length;
}

/** The lines themselves are not acceptable. */
function isRefusal(error: unknown): boolean {
  return /^(22|23|54)/.test((error as { code?: string }).code ?? '');
}
