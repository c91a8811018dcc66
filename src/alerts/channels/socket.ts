import type { Send, SocketSpec } from './channel.js';

/** What a Socket.IO client hears as `alert_notification`. */
export interface SocketNotification {
  id: string;
  channel: string;
  group_key: string;
  content: object;
}

/** Where the gateway listens: the sender knows no door. */
export abstract class NotificationListeners {
  abstract emit(tenantId: string, notification: SocketNotification): void;
}

/** To whoever is connected to /alerts; with nobody there, it is told to nobody. */
export function socket(listeners: NotificationListeners): Send<SocketSpec> {
  return async ({ id, tenant_id, channel, group_key, content }) => {
    listeners.emit(tenant_id, { id, channel, group_key, content });
  };
}
