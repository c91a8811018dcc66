import { labelsIn } from '../input/query.js';
import type { AlertStatus, Severity } from './alert.js';

/** All that are given must hold; of several values of one, any. */
export interface AlertFilters {
  status?: AlertStatus[];
  severity?: Severity[];
  source?: string[];
  name?: string[];
  /** `key=value`; commas inside one mean OR. */
  label?: string[];
  /** The last id of the page before. */
  cursor?: string;
  limit: number;
}

/** One page of alerts as SQL, newest first, with one row more than asked for where there is more. */
export function listAlertsQuery(tenantId: string, filters: AlertFilters): { text: string; values: unknown[] } {
  const values: unknown[] = [tenantId];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const conditions = ['tenant_id = $1'];
  for (const column of ['status', 'severity', 'source', 'name'] as const) {
    if (filters[column]) conditions.push(`${column} = ANY(${bind(filters[column])}::text[])`);
  }
  for (const group of filters.label ?? []) {
    const any = labelsIn(group).map(([key, value]) => `labels @> ${bind(JSON.stringify({ [key]: value }))}::jsonb`);
    conditions.push(`(${any.join(' OR ')})`);
  }
  if (filters.cursor) conditions.push(`id < ${bind(filters.cursor)}::uuid`);
  return { text: `SELECT * FROM alerts WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT ${bind(filters.limit + 1)}`, values };
}
