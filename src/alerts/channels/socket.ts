import type { Send, SocketSpec } from './channel.js';

/** What a Socket.IO client hears as `alert_notification`. */
export interface SocketNotification {
  id: string;
  channel: string;
  group_key: string;
  content: object;
}

/** Tells every replica, whose doors know who is connected: the sender knows no door. */
export type TellSockets = (tenantId: string, notification: SocketNotification) => Promise<void>;

/** To whoever is connected to /alerts, on any replica; with nobody there, it is told to nobody. */
export function socket(tell: TellSockets): Send<SocketSpec> {
  return ({ id, tenant_id, channel, group_key, content }) => tell(tenant_id, { id, channel, group_key, content });
}
