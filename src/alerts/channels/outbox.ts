import type { WakeUps } from '../../events/wake-ups.js';
import { backoffSeconds, giveUpAfterSeconds } from './backoff.js';
import { DeliveryError } from './channel.js';
import type { DueNotification, OutboxStore, Settlement } from './outbox.store.js';
import { sendTimeoutMs, type Senders } from './senders.js';

/** What one replica sends at the same time. */
const slots = 16;
/** A channel that is slow must not hold all slots. */
const slotsOfChannel = 4;
/** Wake-ups are hints, and a replica may have died with what it claimed. */
const pollMs = 15_000;
/** Well above what an attempt can take: whoever holds it for longer is gone. */
const leaseSeconds = (3 * sendTimeoutMs) / 1_000;

/** Sends what is due, on every replica. */
export class Outbox {
  private readonly running = new Map<string, { channel_id: string; done: Promise<void> }>();
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private retryTimers = new Set<NodeJS.Timeout>();
  private claiming: Promise<void> | undefined;
  private again = false;
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly store: OutboxStore,
    private readonly senders: Senders,
    private readonly wakeUps: WakeUps,
    private readonly onError: (error: Error) => void,
  ) {}

  start(): void {
    this.unsubscribe = this.wakeUps.on('alert_notifications', () => this.look());
    this.look();
  }

  /** What is being sent is aborted and given back. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.unsubscribe?.();
    clearTimeout(this.timer);
    for (const timer of this.retryTimers) clearTimeout(timer);
    await this.claiming;
    await Promise.all([...this.running.values()].map(({ done }) => done));
  }

  private look(): void {
    if (this.stopping.signal.aborted) return;
    // What comes in while the database is asked may be missing from its answer.
    this.again = true;
    this.claiming ??= this.claimAll().finally(() => {
      this.claiming = undefined;
      // Somebody may have called between the last look and here.
      if (this.again && this.running.size < slots) this.look();
    });
  }

  private async claimAll(): Promise<void> {
    clearTimeout(this.timer);
    while (this.again && !this.stopping.signal.aborted && this.running.size < slots) {
      this.again = false;
      try {
        const limit = Math.min(slotsOfChannel, slots - this.running.size);
        const due = await this.store.claim(limit, this.busyChannels(), leaseSeconds);
        for (const notification of due) this.begin(notification);
        if (due.length === limit) this.again = true;
      } catch (error) {
        this.onError(error as Error);
      }
    }
    if (!this.stopping.signal.aborted) this.timer = setTimeout(() => this.look(), pollMs * (0.75 + Math.random() / 2));
  }

  private busyChannels(): string[] {
    const counts = new Map<string, number>();
    for (const { channel_id } of this.running.values()) counts.set(channel_id, (counts.get(channel_id) ?? 0) + 1);
    return [...counts].filter(([, count]) => count >= slotsOfChannel).map(([id]) => id);
  }

  private begin(notification: DueNotification): void {
    const { tenant_id, id, attempts, channel_id } = notification;
    const key = `${tenant_id}/${id}/${attempts}`;
    const done = this.send(notification)
      .catch((error: unknown) => this.onError(error as Error))
      .finally(() => {
        this.running.delete(key);
        // The next of the same line is free now.
        this.look();
      });
    this.running.set(key, { channel_id, done });
  }

  private async send(notification: DueNotification): Promise<void> {
    const startedAt = performance.now();
    const error = await this.attempt(notification);
    if (error && this.stopping.signal.aborted) return this.store.release(notification);
    const settlement = { ...settlementOf(error, notification), duration_ms: Math.round(performance.now() - startedAt) };
    await this.store.settle(notification, settlement);
    if (settlement.outcome === 'retried') this.lookIn(settlement.delay_seconds);
  }

  private async attempt({ tenant_id, id, group_key, content, channel }: DueNotification): Promise<Error | undefined> {
    if (!channel) return new DeliveryError('client_error', 'The channel has been deleted.', { retryable: false });
    if (!channel.enabled) return new DeliveryError('client_error', 'The channel is switched off.', { retryable: false });
    const notification = { id, tenant_id, channel: channel.name, group_key, content };
    return this.senders.send(channel.kind, notification, channel.spec, this.stopping.signal).then(
      () => undefined,
      (error: unknown) => error as Error,
    );
  }

  private lookIn(seconds: number): void {
    const timer = setTimeout(
      () => {
        this.retryTimers.delete(timer);
        this.look();
      },
      seconds * 1_000 + 5,
    );
    this.retryTimers.add(timer);
  }
}

function settlementOf(error: Error | undefined, { attempts, age_seconds }: DueNotification): Omit<Settlement, 'duration_ms'> {
  if (!error) return { outcome: 'sent', reason: null, error: null, delay_seconds: 0 };
  // What is no DeliveryError is a mistake of ours; another attempt may meet a mended server.
  const known =
    error instanceof DeliveryError ? error : new DeliveryError('network', 'Sending failed inside the server.', { retryable: true });
  const { reason, message, options } = known;
  const delay_seconds = backoffSeconds(attempts, options.retry_after_seconds);
  const retried = options.retryable && age_seconds + delay_seconds < giveUpAfterSeconds;
  return { outcome: retried ? 'retried' : 'failed', reason, error: message.slice(0, 500), delay_seconds };
}
