import { alertmanager } from './alertmanager.js';
import type { ChannelKind, ChannelSpecs, Notification, Send } from './channel.js';
import { email } from './email.js';
import type { Reach } from './http-delivery.js';
import { slack } from './slack.js';
import { socket, type TellSockets } from './socket.js';
import { webhook } from './webhook.js';

/** A receiver that has not taken a notification by then is tried again later. */
export const sendTimeoutMs = 20_000;

/** One sender for each kind of channel. */
export class Senders {
  private readonly byKind: { [Kind in ChannelKind]: Send<ChannelSpecs[Kind]> };

  constructor(reach: Reach, tellSockets: TellSockets) {
    this.byKind = {
      socket: socket(tellSockets),
      webhook: webhook(reach),
      slack: slack(reach),
      email: email(reach),
      alertmanager: alertmanager(reach),
    };
  }

  /** Resolves once it has arrived; throws `DeliveryError`. */
  async send(kind: ChannelKind, notification: Notification, spec: object, signal: AbortSignal): Promise<void> {
    await (this.byKind[kind] as Send<object>)(notification, spec, AbortSignal.any([signal, AbortSignal.timeout(sendTimeoutMs)]));
  }
}
