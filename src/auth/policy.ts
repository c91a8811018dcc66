import type { Principal, Role } from './principal.js';

const readers: readonly Role[] = ['viewer', 'operator', 'admin', 'root'];
const writers: readonly Role[] = ['operator', 'admin', 'root'];
/** Whoever may create tasks may also run them, so that a first worker needs no set-up. */
const workers: readonly Role[] = ['worker', ...writers];

/** What concerns the whole server, and so always a token. */
const admins: readonly Role[] = ['admin', 'root'];

/** Who may do what, for all doors: operation → roles, or `public` for operations that need no principal at all. */
export const policy = {
  'tasks.create': writers,
  'tasks.list': readers,
  'tasks.get': readers,
  'tasks.update': writers,
  'tasks.delete': writers,
  'tasks.execute': writers,
  'tasks.cancel': writers,
  'tasks.retry': writers,
  'tasks.attempts': readers,
  'tasks.logs': readers,
  'tasks.events': readers,
  'tasks.subscribe': readers,
  'workers.work': workers,
  'workers.list': readers,
  'workers.manage': writers,
  'metrics.get': readers,
  'metrics.subscribe': readers,
  'metrics.scrape': readers,
  'alerts.create': writers,
  'alerts.list': readers,
  'alerts.get': readers,
  'alerts.acknowledge': writers,
  'alerts.resolve': writers,
  'alerts.subscribe': readers,
  'alerts.channels.read': readers,
  'alerts.channels.manage': writers,
  'alerts.rules.read': readers,
  'alerts.rules.test': writers,
  'alerts.rules.manage': writers,
  'alerts.silences.read': readers,
  'alerts.silences.manage': writers,
  'alerts.routes.read': readers,
  'alerts.routes.manage': writers,
  'config.read': readers,
  'config.write': admins,
  'admin.system': admins,
  'admin.health': admins,
  'admin.logs': admins,
  'admin.audit': admins,
  'admin.actions': admins,
  'admin.act': admins,
  'health.read': 'public',
  'docs.read': 'public',
} as const satisfies Record<string, readonly Role[] | 'public'>;

export type Operation = keyof typeof policy;

export function isPublic(operation: Operation): boolean {
  return policy[operation] === 'public';
}

/** What goes on in maintenance: reads, what runs already, and what ends the maintenance. */
export function isPaused(operation: Operation): boolean {
  const allowed: readonly Role[] | 'public' = policy[operation];
  return allowed !== 'public' && !allowed.includes('viewer') && !/^(workers\.work$|config\.|admin\.)/.test(operation);
}

export function allows(principal: Principal | undefined, operation: Operation): boolean {
  // An operation that is not in the table is nobody's, also when its name is a property of every object.
  if (!Object.hasOwn(policy, operation)) return false;
  const allowed: readonly Role[] | 'public' = policy[operation];
  if (allowed === 'public') return true;
  return principal !== undefined && allowed.includes(principal.role);
}
