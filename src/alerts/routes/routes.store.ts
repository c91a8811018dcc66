import { Injectable } from '@nestjs/common';
import { Database, statement } from '../../database/database.js';
import type { Routing } from '../flow/routing.js';

export interface StoredRouting {
  routing: Routing;
  updated_by: string;
  updated_at: string;
  version: number;
}

const getStatement = statement<StoredRouting>(
  'get_alert_routes',
  'SELECT routing, updated_by, updated_at, version FROM alert_routes WHERE tenant_id = $1',
);
// Version 0 is that of what is not stored yet.
// A look at the table itself shows what was there before this statement.
const putStatement = statement<StoredRouting & { was: Routing | null }>(
  'put_alert_routes',
  `WITH put AS (
  INSERT INTO alert_routes AS r (tenant_id, routing, updated_by)
  SELECT $1, $2::jsonb, $3 WHERE coalesce($4::bigint, 0) = 0 OR EXISTS (SELECT FROM alert_routes WHERE tenant_id = $1)
  ON CONFLICT (tenant_id) DO UPDATE SET routing = excluded.routing, updated_by = excluded.updated_by, updated_at = now(), version = r.version + 1
  WHERE $4::bigint IS NULL OR r.version = $4::bigint
  RETURNING routing, updated_by, updated_at, version
), marked AS (
  INSERT INTO alert_marks (tenant_id) SELECT $1 FROM put
)
SELECT put.*, (SELECT routing FROM alert_routes WHERE tenant_id = $1) AS was FROM put`,
);
const channelsStatement = statement<{ name: string }>(
  'alert_channel_names',
  'SELECT name FROM alert_channels WHERE tenant_id = $1 ORDER BY name',
);

@Injectable()
export class RoutesStore {
  constructor(private readonly database: Database) {}

  /** Undefined when nobody has stored one. */
  async get(tenantId: string): Promise<StoredRouting | undefined> {
    return (await this.database.api.query(getStatement, [tenantId]))[0];
  }

  /** Undefined when it is at another version. */
  async put(
    tenantId: string,
    routing: Routing,
    by: string,
    version: number | undefined,
  ): Promise<(StoredRouting & { was: Routing | null }) | undefined> {
    return (await this.database.api.query(putStatement, [tenantId, JSON.stringify(routing), by, version ?? null]))[0];
  }

  async channelNames(tenantId: string): Promise<string[]> {
    return (await this.database.api.query(channelsStatement, [tenantId])).map(({ name }) => name);
  }
}
