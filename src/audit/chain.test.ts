import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Database } from '../database/database.js';
import { openTestDatabase } from '../../test/support/database.js';
import { chained, chainStart, hashOf, kept, type AuditEntry } from './audit-record.js';
import { AuditService } from './audit.service.js';
import { AuditStore } from './audit.store.js';

let opened: Awaited<ReturnType<typeof openTestDatabase>>;
let store: AuditStore;
let audit: AuditService;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened.close());
beforeEach(async () => {
  await tamper(
    "DELETE FROM audit_log; UPDATE audit_head SET seq = 0, hash = repeat('0', 64), anchor_seq = 0, anchor_hash = repeat('0', 64)",
  );
  store = new AuditStore(opened.database);
  audit = new AuditService(store);
});

const root = { tenant_id: 'default', role: 'root', name: 'root' } as const;
const sql = (text: string) => opened.database.api.queryText(text);

function entry(target: string, at = new Date().toISOString()): AuditEntry {
  const who = { at, tenant_id: 'default', principal: 'root', role: 'root', door: 'rest', operation: 'tasks.update' } as const;
  // Numbers and texts that a database or a JSON of another kind would write in another way.
  const after = { z: 1e21, a: [0.1, -0, 1e-7, null], ключ: '\u2028 "quoted" \u0000', 10: 'ten', 9: 'nine' };
  return { ...who, target, before: null, after, outcome: 'ok', request_id: null, trace_id: null, address: '127.0.0.1' };
}

const append = (...targets: string[]) => store.append(targets.map((target) => entry(target)));

/** As the owner of the tables, who can put guards out of force. */
async function tamper(text: string): Promise<void> {
  await opened.database.api.transaction(async (transaction) => {
    for (const table of ['audit_log', 'audit_head']) await transaction.queryText(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
    for (const part of text.split(';')) await transaction.queryText(part);
    for (const table of ['audit_log', 'audit_head']) await transaction.queryText(`ALTER TABLE ${table} ENABLE TRIGGER USER`);
  });
}

test('records that two replicas append at once are one chain, and their verification covers all of them', async () => {
  const other = new Database({ connection: { connectionString: opened.url }, poolSize: 4, onError: () => undefined });
  const stores = [store, new AuditStore(other)];
  await Promise.all(
    stores.map(async (own, replica) => {
      for (let round = 0; round < 40; round++)
        await own.append(Array.from({ length: 1 + (round % 3) }, () => entry(`${replica} ${round}`)));
    }),
  );
  await other.close();
  const verdict = await audit.verify({});
  expect(verdict).toMatchObject({ valid: true, problem: null, checked: 158, from_seq: 1, head_found: null });
  expect(verdict.head).toMatch(/^158:/);
});

describe('verification finds', () => {
  beforeEach(() => append('a', 'b', 'c', 'd', 'e', 'f'));

  test.each([
    ['a record that was edited', "UPDATE audit_log SET after = '{}' WHERE seq = 3", 'edited', 3],
    ['who did it, edited', "UPDATE audit_log SET principal = 'somebody' WHERE seq = 6", 'edited', 6],
    ['a record that was removed', 'DELETE FROM audit_log WHERE seq = 3', 'removed', 3],
    ['the first that was removed', 'DELETE FROM audit_log WHERE seq = 1', 'removed', 1],
    [
      'two that were exchanged',
      'UPDATE audit_log SET seq = 99 WHERE seq = 3; UPDATE audit_log SET seq = 3 WHERE seq = 4; UPDATE audit_log SET seq = 4 WHERE seq = 99',
      'reordered',
      3,
    ],
    ['a tail that was cut', 'DELETE FROM audit_log WHERE seq > 4', 'cut', 5],
    ['a log without records', 'DELETE FROM audit_log', 'cut', 1],
    ['a head that was set back', 'UPDATE audit_head SET (seq, hash) = (SELECT seq, hash FROM audit_log WHERE seq = 4)', 'rewritten', 5],
    ['a head of another log', "UPDATE audit_head SET hash = repeat('1', 64)", 'rewritten', 6],
  ])('%s', async (_what, change, kind, seq) => {
    const known = await audit.verify({});
    await tamper(change);
    expect((await audit.verify({})).problem).toMatchObject({ kind, seq });
    expect((await audit.verifyNew(undefined)).problem).toMatchObject({ kind, seq });
    expect(known).toMatchObject({ valid: true, checked: 6 });
  });

  test('by a head that somebody has kept, also what was rewritten with all hashes, or cut together with the head', async () => {
    const { head } = await audit.verify({});
    const records = await store.chain(0, 6, 10);
    await tamper(
      'DELETE FROM audit_log WHERE seq > 4; UPDATE audit_head SET (seq, hash) = (SELECT seq, hash FROM audit_log WHERE seq = 4)',
    );
    expect((await audit.verify({})).valid).toBe(true);
    expect((await audit.verify({ head })).problem).toMatchObject({ kind: 'cut', seq: 5 });
    const forged = chained(
      chainStart,
      records.map(({ seq: _seq, hash: _hash, previous_hash: _previous, ...rest }) => ({ ...rest, principal: 'another' })),
    );
    await tamper("DELETE FROM audit_log; UPDATE audit_head SET seq = 0, hash = repeat('0', 64)");
    await new AuditStore(opened.database).append(forged);
    expect((await audit.verify({})).valid).toBe(true);
    expect(await audit.verify({ head })).toMatchObject({ valid: false, head_found: false, problem: { kind: 'rewritten', seq: 6 } });
  });

  test('nothing wrong with a log that has grown since a head was kept', async () => {
    const { head } = await audit.verify({});
    const { at } = await audit.verifyNew(undefined);
    await append('g', 'h');
    expect(await audit.verify({ head })).toMatchObject({ valid: true, head_found: true, checked: 8 });
    expect(await audit.verifyNew(at)).toMatchObject({ at: { seq: 8 }, problem: undefined });
  });
});

test('the log takes no change but another record, and TRUNCATE neither', async () => {
  await append('a', 'b');
  for (const change of [
    "UPDATE audit_log SET principal = 'x'",
    'DELETE FROM audit_log WHERE seq = 2',
    'TRUNCATE audit_log',
    'UPDATE audit_head SET seq = 1',
    'UPDATE audit_head SET (anchor_seq, anchor_hash) = (SELECT seq, hash FROM audit_log WHERE seq = 1)',
    'DELETE FROM audit_head',
    'TRUNCATE audit_head',
    'CREATE TEMP TABLE audit_head AS SELECT 9 AS anchor_seq; DELETE FROM public.audit_log',
  ]) {
    await expect(
      opened.database.api.transaction(async (transaction) => {
        for (const part of change.split(';')) await transaction.queryText(part);
      }),
      change,
    ).rejects.toMatchObject({ code: '42501' });
  }
  expect(await audit.verify({})).toMatchObject({ valid: true, checked: 2 });
});

test('retention removes the oldest alone, never what is a day old or less, and what is left is verified from there', async () => {
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
  await store.append([entry('a', daysAgo(500)), entry('b', daysAgo(400)), entry('c', daysAgo(2)), entry('d', daysAgo(300)), entry('e')]);
  const [, second] = await store.chain(0, 5, 5);
  expect(await store.prune(365, 1)).toBe(1);
  expect(await store.prune(365, 10)).toBe(1);
  expect(await store.prune(365, 10)).toBe(0);
  expect(await audit.verify({ head: `2:${second!.hash}` })).toMatchObject({ valid: true, checked: 3, from_seq: 3, head_found: true });
  expect(await audit.verify({ head: `1:${second!.hash}` })).toMatchObject({ valid: true, head_found: null });
  expect(await sql('SELECT prune_audit_log(0, 10) AS pruned')).toEqual([{ pruned: 2 }]);
  expect(await sql('SELECT prune_audit_log(0, 10) AS pruned')).toEqual([{ pruned: 0 }]);
  await append('f');
  expect(await audit.verify({})).toMatchObject({ valid: true, checked: 2, from_seq: 5 });
  await tamper('DELETE FROM audit_log WHERE seq = 5');
  expect((await audit.verify({})).problem).toMatchObject({ kind: 'removed', seq: 5 });
});

test('an export is bounded by filters and tenants, whoever asks', async () => {
  await store.append([
    { ...entry('a'), tenant_id: 'other' },
    { ...entry('b'), tenant_id: 'other', operation: 'config.write' },
    { ...entry('c'), operation: 'tasks.delete' },
  ]);
  const targets = async (caller: Parameters<AuditService['list']>[0]) =>
    (await audit.list(caller, { limit: 10 })).items.map(({ target }) => target);
  expect(await targets(root)).toEqual(['c', 'b', 'a']);
  expect(await targets({ ...root, role: 'admin' })).toEqual(['c', 'b']);
  const exported: (string | null)[] = [];
  for await (const page of audit.export(root, { operation: 'tasks.delete' }, new AbortController().signal))
    exported.push(...page.map(({ target }) => target));
  expect(exported).toEqual(['c']);
});

test('a record is hashed as RFC 8785 writes it, and what is large is kept in part', () => {
  const [record] = chained(chainStart, [{ ...entry('a', '2026-01-01T00:00:00.000Z'), after: { b: 1, a: 'é' } }]);
  expect(hashOf(record!)).toBe(record!.hash);
  // As Python's json and hashlib have it.
  expect(record!.hash).toBe('edb164c1ec806ceff72053d7009cf49aa8241ad48c127a5aaabbdf809d7f0cac');
  expect(kept({ password: 'x', list: [{ Token: 'y' }], has_secret: true })).toEqual({
    password: '(not kept)',
    list: [{ Token: '(not kept)' }],
    has_secret: true,
  });
  const large = kept({ text: 'ü'.repeat(20_000) }) as { cut: boolean; bytes: number; begins: string };
  expect(large).toMatchObject({ cut: true, bytes: 40_011 });
  expect(large.begins).toHaveLength(4_096);
});
