import { expect, test } from 'vitest';
import { allows, isAudited, isPaused, policy, type Operation } from './policy.js';
import { roles, type Role } from './principal.js';

const as = (role: Role) => ({ tenant_id: 'default', role, name: 'test' });

test('nobody may do what is not public, and everybody may do what is', () => {
  for (const operation of Object.keys(policy) as Operation[]) {
    expect(allows(undefined, operation), operation).toBe(policy[operation] === 'public');
  }
});

test('root and admin may do everything with tasks', () => {
  for (const operation of Object.keys(policy) as Operation[]) {
    expect(allows(as('root'), operation), operation).toBe(true);
    expect(allows(as('admin'), operation), operation).toBe(true);
  }
});

test('a viewer reads and does not write', () => {
  expect(allows(as('viewer'), 'tasks.list')).toBe(true);
  expect(allows(as('viewer'), 'tasks.create')).toBe(false);
  expect(allows(as('viewer'), 'tasks.delete')).toBe(false);
});

test('a worker token runs tasks, and neither reads nor writes them', () => {
  const own = (Object.keys(policy) as Operation[]).filter((operation) => policy[operation] !== 'public' && allows(as('worker'), operation));
  expect(own).toEqual(['workers.work']);
});

test('maintenance stops what viewers may not do, but for what runs already and what ends it', () => {
  const operations = Object.keys(policy) as Operation[];
  expect(operations.filter((operation) => isPaused(operation) && allows(as('viewer'), operation))).toEqual([]);
  const goOn = operations.filter((operation) => !isPaused(operation) && !allows(as('viewer'), operation));
  expect(goOn.filter((operation) => !operation.startsWith('admin.'))).toEqual(['workers.work', 'config.write']);
});

test('what viewers may not do is audited, but for the work itself, trials, and what admins read', () => {
  const operations = Object.keys(policy) as Operation[];
  expect(operations.filter((operation) => isAudited(operation) && allows(as('viewer'), operation))).toEqual([]);
  const unheard = operations.filter((operation) => !isAudited(operation) && !allows(as('viewer'), operation));
  const read = ['admin.system', 'admin.health', 'admin.logs', 'admin.audit', 'admin.actions'];
  expect(unheard).toEqual(['workers.work', 'alerts.rules.test', ...read]);
});

test('only admins change settings', () => {
  expect(roles.filter((role) => allows(as(role), 'config.write'))).toEqual(['admin', 'root']);
});

test('an operation that is not in the table is denied to everybody', () => {
  for (const role of roles) {
    expect(allows(as(role), 'tasks.unknown' as Operation)).toBe(false);
    expect(allows(as(role), 'constructor' as Operation)).toBe(false);
  }
});
