import type { Database } from '../database/database.js';
import { NotifyTransport } from './notify-transport.js';
import type { WakeUpTransport } from './wake-up-transport.js';

/**
 * Hints between replicas: `events` (the log has grown), `queued` (there is work), `scheduled` (there will be), `cancelling` (an attempt is to stop),
 * `workers` (something is wanted of a worker), `metrics` (the leader has looked at the cluster),
 * `alert_dispatch` (alerts have changed), `alert_notifications` (something is to be told), `config` (settings have changed),
 * `logs` (lines of the log were stored).
 * A lost hint costs time, never correctness: whoever waits for one also polls.
 */
export type WakeUp =
  | 'events'
  | 'queued'
  | 'scheduled'
  | 'cancelling'
  | 'workers'
  | 'metrics'
  | 'alert_dispatch'
  | 'alert_notifications'
  | 'config'
  | 'logs';

/** Two NOTIFYs of one replica are at least this far apart: each takes a lock over the whole database at commit. */
const coalesceMs = 5;

/**
 * Wake-ups within this process at once, and to the other replicas by one coalesced message: by Redis where there is one
 * and it works, else by a NOTIFY of its own transaction. Both are listened to all the time, as the others may see it otherwise.
 */
export class WakeUps {
  private readonly listeners = new Map<WakeUp, Set<() => void>>();
  private readonly unsent = new Set<WakeUp>();
  private readonly notify: WakeUpTransport;
  private sending: Promise<void> | undefined;
  private stopped = false;

  constructor(
    database: Database,
    replicaId: string,
    private readonly onError: (error: Error) => void,
    private readonly redis?: WakeUpTransport,
  ) {
    this.notify = new NotifyTransport(database, replicaId, onError);
  }

  async start(): Promise<void> {
    const receive = (kinds: string) => kinds.split(',').forEach((kind) => this.wake(kind as WakeUp));
    const missed = () => [...this.listeners.keys()].forEach((kind) => this.wake(kind));
    await this.redis?.start(receive, missed);
    await this.notify.start(receive, missed);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.sending;
    await this.redis?.stop();
    await this.notify.stop();
  }

  /** Whether hints of other replicas arrive by the database just now. */
  get connected(): boolean {
    return this.notify.connected;
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
      await this.send(kinds);
      await new Promise((resolve) => setTimeout(resolve, coalesceMs));
    }
  }

  private async send(kinds: string): Promise<void> {
    // Why Redis did not take it has been reported by the bus.
    const sent =
      this.redis?.connected === true &&
      (await this.redis
        .send(kinds)
        .then(() => true)
        .catch(() => false));
    if (!sent) await this.notify.send(kinds).catch(this.onError);
  }

  private wake(kind: WakeUp): void {
    for (const listener of this.listeners.get(kind) ?? []) listener();
  }
}
