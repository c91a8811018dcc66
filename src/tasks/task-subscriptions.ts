import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Namespace, Socket } from 'socket.io';
import { EventLog } from '../events/event-log.js';
import { toEventView, type TaskEvent } from '../events/events.js';
import { eventFilter, filterKey, type EventFilter } from './event-filter.js';
import type { SubscribeMessage } from './tasks.messages.js';

/** The ack of `subscribe`. */
export interface Subscribed {
  /** Events after this one will come; `since` of the request, or the end of the log. */
  seq: number;
  /** What happened after `since` is no longer known in full: read your snapshot again. */
  reset: boolean;
}

interface Group {
  matches: EventFilter;
  room: string;
  members: number;
}

/** Packets that wait for one client; a client that is slower than this is cut off and resumes by `since`. */
const maxWaitingPackets = 10_000;

/**
 * Who hears which events. Subscribers with equal filters share a room, so an event is matched and encoded once for all of
 * them. A socket has one subscription; a new one takes the place of the old.
 */
@Injectable()
export class TaskSubscriptions implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('TaskSubscriptions');
  private readonly groups = new Map<string, Group>();
  /** The running subscription of each socket; another object means that an older one has been replaced. */
  private readonly current = new Map<Socket, { key: string; joined: boolean }>();
  private namespace: Namespace | undefined;
  private unsubscribe: (() => void) | undefined;

  constructor(private readonly eventLog: EventLog) {}

  attach(namespace: Namespace): void {
    this.namespace = namespace;
  }

  onModuleInit(): void {
    this.unsubscribe = this.eventLog.subscribe((events) => this.publish(events));
  }

  onModuleDestroy(): void {
    this.unsubscribe?.();
  }

  async subscribe(socket: Socket, tenantId: string, filters: SubscribeMessage): Promise<Subscribed> {
    const { since } = filters;
    const reset = since !== undefined && !(await this.eventLog.canResumeFrom(since));
    this.remove(socket);
    const key = filterKey(tenantId, filters);
    const subscription = { key, joined: false };
    this.current.set(socket, subscription);
    if (since === undefined || reset) {
      this.join(socket, subscription, eventFilter(tenantId, filters));
      return { seq: this.eventLog.tail, reset };
    }
    // The ack goes out first, then what was missed.
    setImmediate(() => {
      this.replay(socket, subscription, eventFilter(tenantId, filters), since).catch((error: unknown) => {
        this.logger.error(error);
        // The client comes back with the last seq it saw.
        socket.disconnect(true);
      });
    });
    return { seq: since, reset: false };
  }

  remove(socket: Socket): void {
    const subscription = this.current.get(socket);
    if (!subscription) return;
    this.current.delete(socket);
    if (!subscription.joined) return;
    const group = this.groups.get(subscription.key)!;
    void socket.leave(group.room);
    group.members -= 1;
    if (group.members === 0) this.groups.delete(subscription.key);
  }

  /** Reads the log page by page until it meets the live tail, and joins it in the same turn, so nothing falls between. */
  private async replay(socket: Socket, subscription: { key: string; joined: boolean }, matches: EventFilter, since: number): Promise<void> {
    let cursor = since;
    while (this.current.get(socket) === subscription) {
      const tail = this.eventLog.tail;
      if (cursor >= tail) return this.join(socket, subscription, matches);
      const events = await this.eventLog.read(cursor, tail);
      if (this.current.get(socket) !== subscription) return;
      cursor = events.at(-1)?.seq ?? tail;
      for (const event of events) if (matches(event)) socket.emit(event.action, toEventView(event));
      await this.drained(socket);
    }
  }

  private join(socket: Socket, subscription: { key: string; joined: boolean }, matches: EventFilter): void {
    const group = this.groups.get(subscription.key) ?? { matches, room: `tasks ${subscription.key}`, members: 0 };
    this.groups.set(subscription.key, group);
    group.members += 1;
    subscription.joined = true;
    void socket.join(group.room);
  }

  private publish(events: TaskEvent[]): void {
    if (!this.namespace || !this.groups.size) return;
    for (const event of events) {
      for (const group of this.groups.values()) {
        if (group.matches(event)) this.namespace.to(group.room).emit(event.action, toEventView(event));
      }
    }
    for (const socket of this.current.keys()) {
      if (waitingPackets(socket) <= maxWaitingPackets) continue;
      this.logger.warn(`Socket ${socket.id} reads too slowly and is cut off; it can resume by "since".`);
      socket.disconnect(true);
    }
  }

  /** Waits until a replay page has left for the client, so that a long replay does not pile up in memory. */
  private async drained(socket: Socket): Promise<void> {
    if (waitingPackets(socket) === 0 || !socket.connected) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.conn.off('drain', done);
        socket.off('disconnect', done);
        resolve();
      };
      socket.conn.on('drain', done);
      socket.on('disconnect', done);
    });
  }
}

function waitingPackets(socket: Socket): number {
  // engine.io keeps it private and offers no other measure.
  return (socket.conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length;
}
