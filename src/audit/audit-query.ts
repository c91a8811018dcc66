import type { Door } from './audit-record.js';

/** Which records; all of it must hold. */
export interface AuditFilters {
  /** Of this tenant, and of what concerns the whole cluster. Undefined: of all. */
  tenant_id?: string | undefined;
  principal?: string;
  operation?: string;
  target?: string;
  door?: Door;
  outcome?: string;
  request_id?: string;
  since?: string;
  until?: string;
  /** Newest first, those before this number; or oldest first, those after it. */
  before?: number;
  after?: number;
  limit: number;
}

const fields = ['principal', 'operation', 'target', 'door', 'outcome', 'request_id'] as const;

/** Built at run time, so that the planner sees which of the filters there are. */
export function auditQuery(columns: string, filters: AuditFilters): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const add = (condition: (parameter: string) => string, value: unknown) => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  add((tenant) => `(tenant_id = ${tenant} OR operation LIKE 'config.%' OR operation LIKE 'admin.%')`, filters.tenant_id);
  for (const field of fields) add((value) => `${field} = ${value}`, filters[field]);
  add((since) => `at >= ${since}`, filters.since);
  add((until) => `at < ${until}`, filters.until);
  add((seq) => `seq < ${seq}`, filters.before);
  add((seq) => `seq > ${seq}`, filters.after);
  values.push(filters.limit);
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const order = filters.after === undefined ? 'DESC' : 'ASC';
  return { text: `SELECT ${columns} FROM audit_log ${where} ORDER BY seq ${order} LIMIT $${values.length}`, values };
}
