import { Injectable } from '@nestjs/common';
import { Database, statement } from '../../database/database.js';
import type { ChannelKind, NotificationContent } from './channel.js';

/** A claimed notification with all that sending it takes. */
export interface DueNotification {
  tenant_id: string;
  id: string;
  channel_id: string;
  group_key: string;
  content: NotificationContent;
  /** This attempt's number; a later claim has another one, and settles alone. */
  attempts: number;
  age_seconds: number;
  /** Null when the channel has been deleted. */
  channel: { name: string; kind: ChannelKind; enabled: boolean; spec: object } | null;
}

export interface Settlement {
  outcome: 'sent' | 'retried' | 'failed';
  reason: string | null;
  error: string | null;
  duration_ms: number;
  /** Of a retry. */
  delay_seconds: number;
}

export interface ChannelCount {
  tenant_id: string;
  channel: string;
  outcome: Settlement['outcome'];
  /** Empty for what was sent. */
  reason: string;
  count: number;
}

export interface FailingChannel {
  tenant_id: string;
  channel: string;
  reason: string | null;
  waiting: number;
}

// The head of each line alone: what follows in the same channel and group waits until it is settled.
const claimStatement = statement<DueNotification>(
  'claim_alert_notifications',
  `WITH due AS (
  SELECT n.tenant_id, n.id FROM alert_notifications n
  WHERE n.state = 'waiting' AND n.next_at <= now() AND NOT n.channel_id = ANY($2::uuid[])
    AND NOT EXISTS (SELECT FROM alert_notifications earlier
      WHERE earlier.tenant_id = n.tenant_id AND earlier.channel_id = n.channel_id AND earlier.group_key = n.group_key
        AND earlier.state = 'waiting' AND earlier.id < n.id)
  ORDER BY n.next_at LIMIT $1 FOR UPDATE OF n SKIP LOCKED
), claimed AS (
  UPDATE alert_notifications n SET attempts = n.attempts + 1, next_at = now() + make_interval(secs => $3)
  FROM due WHERE n.tenant_id = due.tenant_id AND n.id = due.id
  RETURNING n.tenant_id, n.id, n.channel_id, n.group_key, n.content, n.attempts, n.created_at
)
SELECT n.tenant_id, n.id, n.channel_id, n.group_key, n.content, n.attempts,
  extract(epoch FROM now() - n.created_at)::float8 AS age_seconds,
  CASE WHEN c.id IS NOT NULL THEN jsonb_build_object('name', c.name, 'kind', c.kind, 'enabled', c.enabled, 'spec', c.spec) END AS channel
FROM claimed n LEFT JOIN alert_channels c ON c.tenant_id = n.tenant_id AND c.id = n.channel_id`,
);

const settleStatement = statement(
  'settle_alert_notification',
  `WITH settled AS (
  UPDATE alert_notifications SET
    state = CASE $4::text WHEN 'retried' THEN 'waiting' ELSE $4::text END,
    next_at = CASE $4::text WHEN 'retried' THEN now() + make_interval(secs => $8) ELSE next_at END,
    sent_at = CASE $4::text WHEN 'sent' THEN now() END,
    reason = $5::text, error = $6, duration_ms = $7
  WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND state = 'waiting'
  RETURNING tenant_id
)
INSERT INTO alert_channel_counts AS counts (tenant_id, channel, outcome, reason, count)
SELECT tenant_id, $9::text, $4::text, coalesce($5::text, ''), 1 FROM settled
ON CONFLICT (tenant_id, channel, outcome, reason) DO UPDATE SET count = counts.count + 1`,
);

const releaseStatement = statement(
  'release_alert_notification',
  "UPDATE alert_notifications SET next_at = now(), attempts = attempts - 1 WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND state = 'waiting'",
);

const countsStatement = statement<ChannelCount>(
  'alert_channel_counts',
  'SELECT tenant_id, channel, outcome, reason, count FROM alert_channel_counts',
);

const pruneStatement = statement<{ id: string }>(
  'prune_alert_notifications',
  `DELETE FROM alert_notifications n USING (
  SELECT tenant_id, id FROM alert_notifications WHERE state <> 'waiting' AND created_at < now() - interval '7 days'
  ORDER BY created_at LIMIT 1000 FOR UPDATE SKIP LOCKED
) old WHERE n.tenant_id = old.tenant_id AND n.id = old.id RETURNING n.id`,
);

const failingStatement = statement<FailingChannel>(
  'failing_alert_channels',
  `SELECT n.tenant_id, c.name AS channel, min(n.reason) AS reason, count(*) AS waiting
FROM alert_notifications n JOIN alert_channels c ON c.tenant_id = n.tenant_id AND c.id = n.channel_id
WHERE n.state = 'waiting' AND n.reason IS NOT NULL AND n.created_at < now() - make_interval(secs => $1)
GROUP BY n.tenant_id, c.name LIMIT 100`,
);

// Not while an earlier heartbeat waits: a receiver that was away needs one, not all that it missed.
const heartbeatStatement = statement<{ id: string }>(
  'alert_heartbeat',
  `INSERT INTO alert_notifications (tenant_id, id, channel_id, group_key, content)
SELECT c.tenant_id, $3::uuid, c.id, 'watchdog', $4::jsonb FROM alert_channels c
WHERE c.tenant_id = $1 AND c.name = $2 AND c.enabled
  AND NOT EXISTS (SELECT FROM alert_notifications n
    WHERE n.tenant_id = c.tenant_id AND n.channel_id = c.id AND n.group_key = 'watchdog' AND n.state = 'waiting')
RETURNING id`,
);

const tellSocketsStatement = statement('tell_sockets', 'INSERT INTO events (tenant_id, task_id, action, log) VALUES ($1, $2, $3, $4)');

/** The outbox. Writing notifications into it is the dispatcher's part, in the transaction of what they tell. */
@Injectable()
export class OutboxStore {
  constructor(private readonly database: Database) {}

  /** Up to `limit` due notifications, none for the channels of `except`; they come back when they are not settled within `leaseSeconds`. */
  claim(limit: number, except: string[], leaseSeconds: number): Promise<DueNotification[]> {
    return this.database.loops.query(claimStatement, [limit, except, leaseSeconds]);
  }

  /** Does nothing when another replica has claimed it since. */
  async settle({ tenant_id, id, attempts, channel, channel_id }: DueNotification, settlement: Settlement): Promise<void> {
    const { outcome, reason, error, duration_ms, delay_seconds } = settlement;
    const name = channel?.name ?? channel_id;
    await this.database.loops.query(settleStatement, [tenant_id, id, attempts, outcome, reason, error, duration_ms, delay_seconds, name]);
  }

  /** Gives back what was not tried to its end. */
  async release({ tenant_id, id, attempts }: DueNotification): Promise<void> {
    await this.database.loops.query(releaseStatement, [tenant_id, id, attempts]);
  }

  counts(): Promise<ChannelCount[]> {
    return this.database.loops.query(countsStatement);
  }

  /** One batch; true when there may be more. */
  async prune(): Promise<boolean> {
    return (await this.database.loops.query(pruneStatement)).length === 1_000;
  }

  /** Channels that have failed to send something for longer than `seconds`. */
  failing(seconds: number): Promise<FailingChannel[]> {
    return this.database.loops.query(failingStatement, [seconds]);
  }

  /** Whether there is such a channel and it gets one. */
  async heartbeat(tenantId: string, channel: string, id: string, content: NotificationContent): Promise<boolean> {
    return (await this.database.loops.query(heartbeatStatement, [tenantId, channel, id, JSON.stringify(content)])).length > 0;
  }

  /** By the event log, which every replica reads. */
  async tellSockets(tenantId: string, action: string, notification: { id: string }): Promise<void> {
    await this.database.loops.query(tellSocketsStatement, [tenantId, notification.id, action, JSON.stringify(notification)]);
  }
}
