import { createHmac } from 'node:crypto';
import { DeliveryError, type Notification, type Send, type WebhookSpec } from './channel.js';
import { deliver, type Reach } from './http-delivery.js';
import { renderTemplate } from './template.js';

/** `sha256=` and the HMAC of `timestamp.body` in hex: a receiver that checks both knows the sender, and refuses what is old. */
export function signature(secret: string, timestamp: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/** What a template sees, and the body without one. */
export function webhookBody({ id, channel, group_key, content }: Notification): object {
  return { version: '1', id, channel, group_key, ...content };
}

export function webhook(reach: Reach, now = Date.now): Send<WebhookSpec> {
  return async (notification, { url, secret, bearer_token, template, content_type = 'application/json' }, signal) => {
    const data = webhookBody(notification);
    const body = template === undefined ? JSON.stringify(data) : rendered(template, data);
    const timestamp = String(Math.floor(now() / 1000));
    const headers = {
      'content-type': template === undefined ? 'application/json' : content_type,
      'idempotency-key': notification.id,
      'arkitect-notification-id': notification.id,
      'arkitect-timestamp': timestamp,
      ...(secret !== undefined && { 'arkitect-signature': signature(secret, timestamp, body) }),
      ...(bearer_token !== undefined && { authorization: `Bearer ${bearer_token}` }),
    };
    await deliver(url, headers, body, { ...reach, signal });
  };
}

function rendered(template: string, data: object): string {
  try {
    return renderTemplate(template, data);
  } catch (error) {
    throw new DeliveryError('client_error', `The template of the channel failed: ${(error as Error).message}`, { retryable: false });
  }
}
