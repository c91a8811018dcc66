import type { Principal, Role } from './principal.js';

const readers: readonly Role[] = ['viewer', 'operator', 'admin', 'root'];
const writers: readonly Role[] = ['operator', 'admin', 'root'];
/** Whoever may create tasks may also run them, so that a first worker needs no set-up. */
const workers: readonly Role[] = ['worker', ...writers];

/** What concerns the whole server, and so always a token. */
const admins: readonly Role[] = ['admin', 'root'];

interface Audited extends ReadonlyArray<Role> {
  readonly audited: true;
}

/** For operations that change something: the audit log keeps who has done it, or tried to. */
function audited(allowed: readonly Role[]): Audited {
  return Object.assign([...allowed], { audited: true as const });
}

/** Who may do what, for all doors: operation → roles, or `public` for operations that need no principal at all. */
export const policy = {
  'tasks.create': audited(writers),
  'tasks.list': readers,
  'tasks.get': readers,
  'tasks.update': audited(writers),
  'tasks.delete': audited(writers),
  'tasks.execute': audited(writers),
  'tasks.cancel': audited(writers),
  'tasks.retry': audited(writers),
  'tasks.attempts': readers,
  'tasks.logs': readers,
  'tasks.events': readers,
  'tasks.subscribe': readers,
  'workers.work': workers,
  'workers.list': readers,
  'workers.manage': audited(writers),
  'metrics.get': readers,
  'metrics.subscribe': readers,
  'metrics.scrape': readers,
  'alerts.create': audited(writers),
  'alerts.list': readers,
  'alerts.get': readers,
  'alerts.acknowledge': audited(writers),
  'alerts.resolve': audited(writers),
  'alerts.subscribe': readers,
  'alerts.channels.read': readers,
  'alerts.channels.manage': audited(writers),
  'alerts.rules.read': readers,
  'alerts.rules.test': writers,
  'alerts.rules.manage': audited(writers),
  'alerts.silences.read': readers,
  'alerts.silences.manage': audited(writers),
  'alerts.routes.read': readers,
  'alerts.routes.manage': audited(writers),
  'config.read': readers,
  'config.write': audited(admins),
  'admin.system': admins,
  'admin.health': admins,
  'admin.logs': admins,
  'admin.audit': admins,
  'admin.actions': admins,
  'admin.act': audited(admins),
  'health.read': 'public',
  'docs.read': 'public',
} as const satisfies Record<string, readonly Role[] | 'public'>;

export type Operation = keyof typeof policy;

export function isPublic(operation: Operation): boolean {
  return policy[operation] === 'public';
}

/** Whether the audit log keeps it. */
export function isAudited(operation: Operation): boolean {
  return typeof policy[operation] === 'object' && 'audited' in policy[operation];
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
