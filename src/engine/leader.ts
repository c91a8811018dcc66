import type pg from 'pg';
import type { Database } from '../database/database.js';

const leaderLock = 4_711_000_002;
const checkMs = 5_000;
/** A leader that stands still, or that the database cannot hear, would keep the lock: its session ends when it misses two checks. */
const silenceMs = 15_000;

/**
 * One leader a database, by a session lock on a connection of its own: it is free again the moment that session dies,
 * whatever became of the process. Two that both believe to lead do no harm: every duty locks the rows it moves.
 */
export class Leader {
  private client: pg.Client | undefined;
  private leading = false;
  /** RFC 3339; null: it does not lead. */
  leadingSince: string | null = null;
  /** Is called when `leadingSince` has changed. */
  onChange: () => void = () => undefined;
  private timer: NodeJS.Timeout | undefined;
  private checking: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly database: Database,
    private readonly onError: (error: Error) => void,
  ) {}

  get isLeader(): boolean {
    return this.leading;
  }

  async start(): Promise<void> {
    await this.check();
  }

  /** Gives leadership up, so that another replica takes over at its next check. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.lead(false);
    clearTimeout(this.timer);
    await this.checking;
    await this.client?.end().catch(() => undefined);
  }

  private async check(): Promise<void> {
    this.checking = this.tryToLead().catch((error: Error) => {
      this.drop();
      if (!this.stopped) this.onError(error);
    });
    await this.checking;
    if (!this.stopped) this.timer = setTimeout(() => void this.check(), checkMs * (0.75 + Math.random() / 2));
  }

  /** As leader this only proves that the session still lives. */
  private async tryToLead(): Promise<void> {
    if (!this.client) {
      const client = await this.database.connect('leader');
      client.on('end', () => this.client === client && this.drop());
      this.client = client;
      await client.query(`SET idle_session_timeout = ${silenceMs}`);
    }
    if (this.leading) {
      await this.client.query('SELECT 1');
    } else {
      const { rows } = await this.client.query<{ won: boolean }>('SELECT pg_try_advisory_lock($1::bigint) AS won', [leaderLock]);
      this.lead(rows[0]!.won && !this.stopped);
    }
  }

  private lead(leading: boolean): void {
    if (leading === this.leading) return;
    this.leading = leading;
    this.leadingSince = leading ? new Date().toISOString() : null;
    if (!this.stopped) this.onChange();
  }

  private drop(): void {
    this.lead(false);
    this.client?.end().catch(() => undefined);
    this.client = undefined;
  }
}
