import { Logger } from '@nestjs/common';
import type { Namespace, Socket } from 'socket.io';
import type { EventLog } from '../events/event-log.js';
import type { EventFilter } from '../events/event-watch.js';
import type { LogEvent } from '../events/events.js';
import { drained, waiting } from './socket-pace.js';

/** The ack of `subscribe`. */
export interface Subscribed {
  /** Events after this one will come; `since` of the request, or the end of the log. */
  seq: number;
  /** What happened after `since` is no longer known in full: read your snapshot again. */
  reset: boolean;
}

/** What somebody wants to hear. */
export interface Wish {
  /** Equal for wishes that match the same events. */
  key: string;
  matches: EventFilter;
  /** The last seq that it has seen; undefined: only what happens from now on. */
  since: number | undefined;
}

interface Subscription {
  key: string;
  matches: EventFilter;
  /** In the room of its group: what happens now reaches it. Before, it is still being told what it missed. */
  joined: boolean;
}

interface Group {
  namespace: Namespace;
  matches: EventFilter;
  room: string;
  members: number;
}

/** What may wait for one client; a client that is slower than this reads the log at its own pace until it has caught up. */
const maxWaitingPackets = 10_000;
const maxWaitingBytes = 16 * 1024 * 1024;
/** Below it nobody counts bytes: the largest events have about 90 KiB. */
const fewPackets = 100;
/** Events that a replay reads and sends at a time. */
const replayPage = 250;

/**
 * Who hears which events. Subscribers with equal filters share a room, so an event is matched and encoded once for all of
 * them. A socket has one subscription; a new one takes the place of the old.
 */
export class EventSubscriptions {
  private readonly logger = new Logger('EventSubscriptions');
  private readonly groups = new Map<string, Group>();
  /** The running subscription of each socket; another object means that an older one has been replaced. */
  private readonly current = new Map<Socket, Subscription>();
  /** Sockets whose end is listened for. */
  private readonly known = new WeakSet<Socket>();
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly eventLog: EventLog,
    /** An event as clients see it. */
    private readonly view: (event: LogEvent) => object,
  ) {}

  async subscribe(socket: Socket, { key, matches, since }: Wish): Promise<Subscribed> {
    const subscription = { key, matches, joined: false };
    // Before anything is awaited: of two that are sent at once the later one counts, and a socket that leaves meanwhile is gone.
    this.remove(socket);
    if (socket.connected) this.current.set(socket, subscription);
    if (!this.known.has(socket)) {
      this.known.add(socket);
      socket.once('disconnect', () => this.remove(socket));
    }
    const reset = since !== undefined && !(await this.eventLog.canResumeFrom(since));
    const from = since === undefined || reset ? this.eventLog.tail : since;
    // The ack goes out first, then what comes after its seq.
    setImmediate(() => this.startReplay(socket, subscription, from));
    return { seq: from, reset };
  }

  remove(socket: Socket): void {
    const subscription = this.current.get(socket);
    if (!subscription) return;
    this.current.delete(socket);
    if (subscription.joined) this.leave(socket, subscription);
  }

  private startReplay(socket: Socket, subscription: Subscription, since: number): void {
    this.replay(socket, subscription, since).catch((error: unknown) => {
      // The client comes back with the last seq it saw.
      this.logger.warn(`A replay of events was cut short: ${(error as Error).message}`);
      socket.disconnect(true);
    });
  }

  /** Reads the log page by page until it meets the live tail, and joins it in the same turn, so nothing falls between. */
  private async replay(socket: Socket, subscription: Subscription, since: number): Promise<void> {
    const isOver = () => this.current.get(socket) !== subscription;
    let cursor = since;
    for (;;) {
      await drained(socket);
      if (isOver()) return;
      const { tail } = this.eventLog;
      if (cursor === tail) return this.join(socket, subscription);
      if (cursor > tail) {
        // The client has seen more on another replica; joined now, it would see the difference twice.
        await this.tailReaches(cursor);
        continue;
      }
      const events = await this.eventLog.read(cursor, tail, replayPage);
      // A gap is usually a number that was rolled back; here it may also be what the pruner has just taken.
      const isWhole = events[0]?.seq === cursor + 1 || (await this.eventLog.canResumeFrom(cursor));
      if (isOver()) return;
      if (!isWhole) throw new Error('The event log was pruned during a replay; the client has to start over.');
      cursor = events.at(-1)?.seq ?? tail;
      for (const event of events) if (subscription.matches(event)) socket.emit(event.action, this.view(event));
    }
  }

  private tailReaches(seq: number): Promise<void> {
    return new Promise((resolve) => {
      const unsubscribe = this.eventLog.subscribe(() => {
        if (this.eventLog.tail < seq) return;
        unsubscribe();
        resolve();
      });
    });
  }

  private join(socket: Socket, subscription: Subscription): void {
    const { key, matches } = subscription;
    const group = this.groups.get(key) ?? { namespace: socket.nsp, matches, room: `events ${key}`, members: 0 };
    this.groups.set(key, group);
    group.members += 1;
    subscription.joined = true;
    this.unsubscribe ??= this.eventLog.subscribe((events) => this.publish(events));
    void socket.join(group.room);
  }

  private leave(socket: Socket, subscription: Subscription): void {
    const group = this.groups.get(subscription.key)!;
    void socket.leave(group.room);
    group.members -= 1;
    if (group.members === 0) this.groups.delete(subscription.key);
    if (!this.groups.size) this.stopListening();
    subscription.joined = false;
  }

  private stopListening(): void {
    this.unsubscribe?.();
    this.unsubscribe = undefined;
  }

  private publish(events: LogEvent[]): void {
    for (const event of events) {
      for (const { namespace, matches, room } of this.groups.values()) {
        if (matches(event)) namespace.to(room).emit(event.action, this.view(event));
      }
    }
    for (const [socket, subscription] of this.current) {
      if (!subscription.joined || !isTooSlow(socket)) continue;
      this.leave(socket, subscription);
      this.startReplay(socket, subscription, this.eventLog.tail);
    }
  }
}

function isTooSlow(socket: Socket): boolean {
  const packets = waiting(socket);
  if (packets.length <= fewPackets) return false;
  return packets.length > maxWaitingPackets || packets.reduce((bytes, { data }) => bytes + (data?.length ?? 0), 0) > maxWaitingBytes;
}
