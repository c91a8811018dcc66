import { Injectable } from '@nestjs/common';
import type { Namespace } from 'socket.io';
import { allows } from '../../auth/policy.js';
import type { Principal } from '../../auth/principal.js';
import { NotificationListeners, type SocketNotification } from './socket.js';

/** Who is connected to /alerts on this replica and may read what is told. */
@Injectable()
export class SocketListeners extends NotificationListeners {
  private namespace: Namespace | undefined;

  attach(namespace: Namespace): void {
    this.namespace = namespace;
  }

  emit(tenantId: string, notification: SocketNotification): void {
    for (const socket of this.namespace?.sockets.values() ?? []) {
      const { principal } = socket.data as { principal?: Principal };
      if (principal?.tenant_id === tenantId && allows(principal, 'alerts.channels.read')) socket.emit('alert_notification', notification);
    }
  }
}
