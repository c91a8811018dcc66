import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openTestDatabase } from '../../test/support/database.js';
import { Database } from '../database/database.js';
import { AuditService } from './audit.service.js';
import { AuditStore } from './audit.store.js';

/** The SQL of docs/audit.md, with roles of this test. */
function recipe(owner: string, service: string): string {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'audit.md'), 'utf8');
  const [, sql] = /```sql\n([\s\S]+?)```/.exec(page)!;
  return sql!.replaceAll('audit_owner', owner).replaceAll('TO arkitect;', `TO ${service};`);
}

test('where the tables belong to another role, as docs/audit.md says, the service appends, verifies and prunes, and can do no more', async (context) => {
  const opened = await openTestDatabase();
  const sql = (text: string, db = opened.database) => db.api.queryText<Record<string, unknown>>(text);
  const [me] = await sql('SELECT rolsuper, current_database() AS name FROM pg_roles WHERE rolname = current_user');
  if (!me!.rolsuper) {
    await opened.close();
    context.skip();
  }
  const suffix = randomBytes(6).toString('hex');
  const [owner, service] = [`audit_owner_${suffix}`, `audit_service_${suffix}`];
  await sql(`CREATE ROLE ${service}`);
  for (const statement of recipe(owner, service).split(';')) await sql(statement);
  await sql(`ALTER ROLE CURRENT_USER IN DATABASE ${String(me!.name)} SET role TO ${service}`);
  const asService = new Database({ connection: { connectionString: opened.url }, poolSize: 2, onError: () => undefined });
  try {
    expect(await sql('SELECT current_user AS who', asService)).toEqual([{ who: service }]);
    const store = new AuditStore(asService);
    const entry = { tenant_id: 'default', principal: 'root', role: 'root', door: 'rest', operation: 'config.write', target: null } as const;
    const rest = { before: null, after: null, outcome: 'ok', request_id: null, trace_id: null, address: null };
    for (const at of ['2020-01-01T00:00:00.000Z', new Date().toISOString()]) await store.append([{ ...entry, ...rest, at }]);
    await new AuditStore(asService).append([{ ...entry, ...rest, at: new Date().toISOString() }]);
    expect(await store.prune(365, 10)).toBe(1);
    expect(await new AuditService(store).verify({})).toMatchObject({ valid: true, checked: 2, from_seq: 2 });
    for (const change of [
      'ALTER TABLE audit_log DISABLE TRIGGER ALL',
      'SET session_replication_role = replica',
      'UPDATE audit_log SET seq = seq',
      'DELETE FROM audit_log WHERE seq = 1',
      'UPDATE audit_head SET anchor_seq = 2',
      'DROP TABLE audit_log',
      'CREATE OR REPLACE FUNCTION guard_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$',
    ]) {
      await expect(sql(change, asService), change).rejects.toMatchObject({ code: '42501' });
    }
  } finally {
    await asService.close();
    await sql(`ALTER ROLE CURRENT_USER IN DATABASE ${String(me!.name)} RESET role`);
    await sql(`DROP OWNED BY ${service}, ${owner} CASCADE`);
    await sql(`DROP ROLE ${service}, ${owner}`);
    await opened.close();
  }
});
