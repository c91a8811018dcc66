import type { Violation } from './checker.js';
import { ofKind, type History } from './history.js';
import type { Load } from './load.js';
import type { Options } from './options.js';
import { percentiles, redelivery } from './redelivery.js';
import type { Stored } from './stored.js';
import type { World } from './world.js';

export interface Run {
  options: Options;
  world: World;
  history: History;
  stored: Stored;
  injected: Map<string, number>;
  kinds: number;
  requests: Load['requests'];
  violations: Violation[];
}

const shownViolations = 30;

export function report(run: Run): string {
  const { options, world, history, stored, injected, requests, violations } = run;
  const times = redelivery(history.entries, stored);
  const statuses = [...Map.groupBy(stored.tasks, (task) => task.status)].map(([status, tasks]) => `${tasks.length} ${status}`);
  const started = stored.events.filter((event) => event.action === 'task_started').length;
  const remote = startedRemotely(stored);
  const refused = ofKind(history.entries, 'refused').length;
  const failedStarts = sum(world.replicas.map((replica) => replica.failedStarts));
  const lines: [string, string][] = [
    ['Seed', `${options.seed} (${options.minutes} minutes, ${world.replicas.length} replicas, ${database(world)})`],
    ['Faults injected', `${sum([...injected.values()])}`],
    ...[...injected].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]): [string, string] => [`  ${kind}`, `${count}`]),
    [
      'Requests',
      Object.entries(requests)
        .map(([how, count]) => `${count} ${how}`)
        .join(', '),
    ],
    ['Tasks', `${stored.tasks.length}: ${statuses.sort().join(', ')}`],
    ['Acknowledged', `${acknowledged(history)} tasks, ${commands(history)} commands`],
    ['Attempts', `${started} started, ${stored.lost.length} rescued from lost leases`],
    ...(world.workers.length ? [['Run by remote workers', `${remote} attempts`] satisfies [string, string]] : []),
    ['Started again after a kill', percentiles(times.afterKill)],
    ['Taken over from frozen replicas', percentiles(times.afterFreeze)],
    ['Events', `${stored.events.length}, watched across ${ofKind(history.entries, 'resumed').length} connections`],
    ...(world.redis ? [['Through Redis', `${world.redis.batches} batches of events`] satisfies [string, string]] : []),
    ...(refused ? [['Creates refused by a full disk', `${refused}`] satisfies [string, string]] : []),
    ['Starts of a replica that failed', `${failedStarts}`],
    ['Violations', `${violations.length}`],
  ];
  const width = Math.max(...lines.map(([name]) => name.length)) + 2;
  const shown = violations.slice(0, shownViolations).map(({ rule, what }) => `  ${rule}: ${what}`);
  const rest = violations.length > shownViolations ? [`  … and ${violations.length - shownViolations} more`] : [];
  return [...lines.map(([name, value]) => name.padEnd(width) + value), ...shown, ...rest].join('\n');
}

function startedRemotely({ events }: Stored): number {
  return events.filter((event) => event.action === 'task_started' && event.worker?.startsWith('remote-')).length;
}

type Due = [what: string, was: number, due: number];

/** What a run must have gone through to prove anything; empty when it has. */
export function tooLittle({ options, world, stored, history, injected, kinds }: Run): string[] {
  const atLeast: Due[] = [
    ['faults', sum([...injected.values()]), Math.floor(options.embedded ? 6 * options.minutes : 10 * options.minutes)],
    ['kinds of faults', injected.size, Math.min(kinds, Math.floor(5 * options.minutes))],
    ['acknowledged tasks', acknowledged(history), Math.floor(100 * options.minutes)],
    ['attempts rescued', stored.lost.length, Math.max(1, Math.floor(5 * options.minutes))],
    ...(world.redis ? [['batches of events through Redis', world.redis.batches, Math.floor(40 * options.minutes)] satisfies Due] : []),
    ...(world.workers.length
      ? [['attempts of remote workers', startedRemotely(stored), Math.floor(30 * options.minutes)] satisfies Due]
      : []),
    ['connections of watchers', ofKind(history.entries, 'resumed').length, 4],
  ];
  return atLeast
    .filter(([, was, due]) => was < due)
    .map(([what, was, due]) => `${was} ${what}, at least ${due} are needed to prove something`);
}

function acknowledged({ entries }: History): number {
  return new Set(ofKind(entries, 'acknowledged').flatMap((entry) => (entry.request === 'create' ? entry.tasks.map((task) => task.id) : [])))
    .size;
}

function commands({ entries }: History): number {
  return ofKind(entries, 'acknowledged').filter((entry) => entry.request !== 'create').length;
}

function database({ postgres }: World): string {
  return postgres?.version ?? 'embedded PostgreSQL';
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
