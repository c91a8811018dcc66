import { Injectable } from '@nestjs/common';
import { Database, statement } from '../../database/database.js';
import type { Channel, ChannelKind, DeliveryReason } from './channel.js';

/** One row of the delivery log. */
export interface Delivery {
  id: string;
  group_key: string;
  state: 'waiting' | 'sent' | 'failed';
  status: 'firing' | 'resolved';
  /** How many alerts it tells of. */
  alerts: number;
  attempts: number;
  /** When it is tried (again), while it waits. */
  next_at: string | null;
  /** Why the last attempt failed. */
  reason: DeliveryReason | null;
  error: string | null;
  duration_ms: number | null;
  created_at: string;
  sent_at: string | null;
}

const columns = 'tenant_id, id, name, kind, enabled, spec, created_by, created_at, updated_at, version';

const insertStatement = statement<Channel>(
  'create_alert_channel',
  `INSERT INTO alert_channels (tenant_id, id, name, kind, enabled, spec, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant_id, name) DO NOTHING RETURNING ${columns}`,
);
const listStatement = statement<Channel>(
  'list_alert_channels',
  `SELECT ${columns} FROM alert_channels WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
);
const getStatement = statement<Channel>('get_alert_channel', `SELECT ${columns} FROM alert_channels WHERE tenant_id = $1 AND id = $2`);
const lockStatement = statement<Channel>(
  'lock_alert_channel',
  `SELECT ${columns} FROM alert_channels WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
);
const updateStatement = statement<Channel>(
  'update_alert_channel',
  `UPDATE alert_channels SET enabled = $3, spec = $4, updated_at = now(), version = version + 1 WHERE tenant_id = $1 AND id = $2 RETURNING ${columns}`,
);
const deleteStatement = statement('delete_alert_channel', 'DELETE FROM alert_channels WHERE tenant_id = $1 AND id = $2');
const deliveriesStatement = statement<Delivery>(
  'list_alert_deliveries',
  `SELECT id, group_key, state, content->>'status' AS status, jsonb_array_length(content->'alerts') AS alerts, attempts,
  CASE state WHEN 'waiting' THEN next_at END AS next_at, reason, error, duration_ms, created_at, sent_at
FROM alert_notifications WHERE tenant_id = $1 AND channel_id = $2 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4`,
);

export interface NewChannel {
  tenant_id: string;
  id: string;
  name: string;
  kind: ChannelKind;
  enabled: boolean;
  spec: object;
  created_by: string;
}

@Injectable()
export class ChannelsStore {
  constructor(private readonly database: Database) {}

  /** Undefined when the name is taken. */
  async create({ tenant_id, id, name, kind, enabled, spec, created_by }: NewChannel): Promise<Channel | undefined> {
    return (await this.database.api.query(insertStatement, [tenant_id, id, name, kind, enabled, JSON.stringify(spec), created_by]))[0];
  }

  list(tenantId: string, cursor: string | undefined, limit: number): Promise<Channel[]> {
    return this.database.api.query(listStatement, [tenantId, cursor ?? null, limit]);
  }

  async get(tenantId: string, id: string): Promise<Channel | undefined> {
    return (await this.database.api.query(getStatement, [tenantId, id]))[0];
  }

  /** `change` says what becomes of the channel as it is, and throws to leave it so. Undefined when there is none. */
  change(tenantId: string, id: string, change: (channel: Channel) => { enabled: boolean; spec: object }): Promise<Channel | undefined> {
    return this.database.api.transaction(async (transaction) => {
      const [channel] = await transaction.query(lockStatement, [tenantId, id]);
      if (!channel) return undefined;
      const { enabled, spec } = change(channel);
      return (await transaction.query(updateStatement, [tenantId, id, enabled, JSON.stringify(spec)]))[0];
    });
  }

  /** `check` throws to keep it. Answers whether there was one. */
  remove(tenantId: string, id: string, check: (channel: Channel) => void): Promise<boolean> {
    return this.database.api.transaction(async (transaction) => {
      const [channel] = await transaction.query(lockStatement, [tenantId, id]);
      if (!channel) return false;
      check(channel);
      await transaction.query(deleteStatement, [tenantId, id]);
      return true;
    });
  }

  deliveries(tenantId: string, id: string, cursor: string | undefined, limit: number): Promise<Delivery[]> {
    return this.database.api.query(deliveriesStatement, [tenantId, id, cursor ?? null, limit]);
  }
}
