import type { Alert, Labels } from '../alert.js';

/** A channel is a way to tell somebody of alerts. Domain types. */

export const channelKinds = ['socket', 'webhook', 'slack', 'email', 'alertmanager'] as const;
export type ChannelKind = (typeof channelKinds)[number];

export const deliveryReasons = [
  'auth',
  'rate_limited',
  'timeout',
  'refused',
  'blocked',
  'server_error',
  'client_error',
  'network',
] as const;
export type DeliveryReason = (typeof deliveryReasons)[number];

/** What is told: a group of alerts, as it is now. */
export interface NotificationContent {
  /** `resolved` when none of the alerts is active any more. */
  status: 'firing' | 'resolved';
  group_labels: Labels;
  common_labels: Labels;
  common_annotations: Labels;
  alerts: Alert[];
}

/** One message to one channel. `id` stays the same over all attempts, so that a receiver can tell a repetition. */
export interface Notification {
  id: string;
  tenant_id: string;
  channel: string;
  group_key: string;
  content: NotificationContent;
}

/** Why a notification did not arrive. The message is shown to users: it names no secret and nothing of the receiver's answer. */
export class DeliveryError extends Error {
  constructor(
    readonly reason: DeliveryReason,
    message: string,
    /** `retryable`: whether a later attempt may arrive. `retry_after_seconds`: the receiver asked to be left alone for so long. */
    readonly options: { retryable: boolean; retry_after_seconds?: number; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.name = 'DeliveryError';
  }
}

/** Resolves once the receiver has taken the notification; throws `DeliveryError`. Aborting the signal ends it at once. */
export type Send<Spec> = (notification: Notification, spec: Spec, signal: AbortSignal) => Promise<void>;

export interface WebhookSpec {
  url: string;
  /** Key of the signature. */
  secret?: string;
  bearer_token?: string;
  /** Liquid; absent: the documented JSON. */
  template?: string;
  /** Of a templated body. */
  content_type?: string;
}

export interface SlackSpec {
  /** Whoever knows it may post: a secret as a whole. */
  url: string;
}

export const emailSecurities = ['tls', 'starttls', 'none'] as const;

export interface EmailSpec {
  host: string;
  port: number;
  security: (typeof emailSecurities)[number];
  user?: string;
  password?: string;
  from: string;
  to: string[];
}

export interface AlertmanagerSpec {
  /** Of the server, without /api/v2. */
  url: string;
  bearer_token?: string;
}

export type SocketSpec = object;

export interface ChannelSpecs {
  socket: SocketSpec;
  webhook: WebhookSpec;
  slack: SlackSpec;
  email: EmailSpec;
  alertmanager: AlertmanagerSpec;
}

/** A channel as it is stored, with its secrets. */
export interface Channel<Kind extends ChannelKind = ChannelKind> {
  tenant_id: string;
  id: string;
  name: string;
  kind: Kind;
  enabled: boolean;
  spec: ChannelSpecs[Kind];
  created_by: string;
  created_at: string;
  updated_at: string;
  version: number;
}

/** Fields that go in and never come out again. */
export const secretFields: Record<ChannelKind, readonly string[]> = {
  socket: [],
  webhook: ['secret', 'bearer_token'],
  slack: ['url'],
  email: ['password'],
  alertmanager: ['bearer_token'],
};

/** Fields that say where a channel leads: who changes one must know the secrets that are sent there. */
export const destinationFields: Record<ChannelKind, readonly string[]> = {
  socket: [],
  webhook: ['url'],
  slack: [],
  email: ['host', 'port', 'security'],
  alertmanager: ['url'],
};

/** Secrets that travel to the destination themselves; the key of a signature does not. */
export const sentSecrets: Record<ChannelKind, readonly string[]> = {
  socket: [],
  webhook: ['bearer_token'],
  slack: [],
  email: ['password'],
  alertmanager: ['bearer_token'],
};
