import type pg from 'pg';
import { statement, type Database } from '../database/database.js';

/**
 * Hints between replicas: `events` (the log has grown), `queued` (there is work), `cancelling` (an attempt is to stop).
 * A lost hint costs time, never correctness: whoever waits for one also polls.
 */
export type WakeUp = 'events' | 'queued' | 'cancelling';

const notifyStatement = statement('notify', "SELECT pg_notify('arkitect_wake_ups', $1)");

/** Two NOTIFYs of one replica are at least this far apart: each takes a lock over the whole database at commit. */
const coalesceMs = 5;
const reconnectMs = 1_000;

/** Wake-ups within this process at once, and to the other replicas by one coalesced NOTIFY of its own transaction. */
export class WakeUps {
  private readonly listeners = new Map<WakeUp, Set<() => void>>();
  private readonly unsent = new Set<WakeUp>();
  private sending: Promise<void> | undefined;
  private client: pg.Client | undefined;
  private reconnectTimer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly database: Database,
    private readonly replicaId: string,
    private readonly onError: (error: Error) => void,
  ) {}

  async start(): Promise<void> {
    await this.listen();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.reconnectTimer);
    await this.sending;
    await this.client?.end().catch(() => undefined);
  }

  /** Whether hints of other replicas arrive just now. */
  get connected(): boolean {
    return this.client !== undefined;
  }

  on(kind: WakeUp, listener: () => void): () => void {
    const listeners = this.listeners.get(kind) ?? new Set();
    this.listeners.set(kind, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Call after the transaction has committed. */
  signal(...kinds: WakeUp[]): void {
    for (const kind of kinds) {
      this.unsent.add(kind);
      this.wake(kind);
    }
    this.sending ??= this.sendUntilQuiet().finally(() => (this.sending = undefined));
  }

  private async sendUntilQuiet(): Promise<void> {
    while (this.unsent.size && !this.stopped) {
      const kinds = [...this.unsent].join(',');
      this.unsent.clear();
      await this.database.loops.query(notifyStatement, [`${this.replicaId} ${kinds}`]).catch(this.onError);
      await new Promise((resolve) => setTimeout(resolve, coalesceMs));
    }
  }

  private async listen(): Promise<void> {
    const client = await this.database.connect('wake-ups');
    client.on('notification', ({ payload = '' }) => {
      const [replicaId, kinds = ''] = payload.split(' ');
      if (replicaId !== this.replicaId) for (const kind of kinds.split(',')) this.wake(kind as WakeUp);
    });
    client.on('end', () => this.reconnect());
    await client.query('LISTEN arkitect_wake_ups');
    this.client = client;
    // Hints that were sent while nobody listened are made up for.
    for (const kind of this.listeners.keys()) this.wake(kind);
  }

  private reconnect(): void {
    this.client = undefined;
    if (this.stopped) return;
    this.reconnectTimer = setTimeout(() => {
      this.listen().catch((error: Error) => {
        this.onError(error);
        this.reconnect();
      });
    }, reconnectMs);
  }

  private wake(kind: WakeUp): void {
    for (const listener of this.listeners.get(kind) ?? []) listener();
  }
}
