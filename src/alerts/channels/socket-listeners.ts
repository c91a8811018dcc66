import { Injectable } from '@nestjs/common';
import type { Namespace, Socket } from 'socket.io';
import { allows } from '../../auth/policy.js';
import type { Principal } from '../../auth/principal.js';
import { EventLog } from '../../events/event-log.js';
import { notificationAction, type LogEvent } from '../../events/events.js';

/** Who is connected to /alerts on this replica and hears what is told. */
@Injectable()
export class SocketListeners {
  private readonly sockets = new Set<Socket>();
  private unsubscribe: (() => void) | undefined;

  constructor(private readonly eventLog: EventLog) {}

  attach(namespace: Namespace): void {
    namespace.on('connection', (socket) => {
      if (!allows(principalOf(socket), 'alerts.channels.read')) return;
      this.sockets.add(socket);
      this.unsubscribe ??= this.eventLog.subscribe((events) => this.hear(events));
      socket.on('disconnect', () => this.leave(socket));
    });
  }

  private leave(socket: Socket): void {
    this.sockets.delete(socket);
    if (this.sockets.size > 0) return;
    this.unsubscribe?.();
    this.unsubscribe = undefined;
  }

  private hear(events: LogEvent[]): void {
    for (const { action, tenant_id, data } of events) {
      if (action !== notificationAction) continue;
      for (const socket of this.sockets) if (principalOf(socket)?.tenant_id === tenant_id) socket.emit(notificationAction, data.log);
    }
  }
}

function principalOf(socket: Socket): Principal | undefined {
  return (socket.data as { principal?: Principal }).principal;
}
