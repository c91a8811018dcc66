import { attemptOutcomes } from '../cluster/cluster-observer.js';
import type { ClusterSnapshot } from '../cluster/snapshot.js';
import type { Duration } from '../counts/count-changes.js';
import type { TaskCount } from '../counts/task-counts.js';
import { histogramOf, sumBy } from '../counts/task-metrics.js';
import { taskStatuses } from '../../tasks/task.js';
import { other } from './bounded-labels.js';
import { histogramValues, type Family } from './family.js';

/** Lines that are told apart; the smaller ones are summed as `other`. */
const maxLines = 100;

type Line = { labels: { queue: string; type: string }; counts: Map<string, number> };

/**
 * What is of the whole cluster, and the same on every replica: scrape one, or take the maximum over all. `shown` remembers which lines
 * have been told apart: one that went into the sum of the others, or came out of it, would look like a counter that falls.
 */
export function clusterFamilies(counts: TaskCount[], snapshot: ClusterSnapshot | undefined, shown: Set<string>): Family[] {
  const lines = linesOf(counts, shown);
  const tenants = Object.values(snapshot?.tenants ?? {});
  const perLine = (values: (line: Line) => [labels: Record<string, string>, value: number][]) =>
    lines.flatMap((line) => values(line).map(([labels, value]) => ({ labels: { ...line.labels, ...labels }, value })));
  const total = ({ counts: own }: Line, name: string) => own.get(name) ?? 0;
  return [
    gauge(
      'arkitect_tasks',
      'Stored tasks by status.',
      perLine(({ counts: own }) => taskStatuses.map((status) => [{ status }, Math.max(0, own.get(status) ?? 0)])),
    ),
    counter(
      'arkitect_tasks_created_total',
      'Tasks that were created.',
      perLine((line) => [[{}, total(line, 'created_total')]]),
    ),
    counter(
      'arkitect_tasks_finished_total',
      'Tasks that ended, by their status.',
      perLine((line) => ['completed', 'failed', 'cancelled'].map((status) => [{ status }, total(line, `${status}_total`)])),
    ),
    counter(
      'arkitect_task_attempts_total',
      'Attempts that ended, by outcome.',
      perLine(({ counts: own }) => attemptOutcomes(own).map(([outcome, value]) => [{ outcome }, value])),
    ),
    histogram('arkitect_task_wait_seconds', 'Time from queued to started, in seconds.', lines, 'wait'),
    histogram('arkitect_task_run_seconds', 'Time from started to the end, in seconds.', lines, 'run'),
    gauge(
      'arkitect_tasks_oldest_waiting_seconds',
      'Age of the task that has waited longest in line, in seconds.',
      largest(tenants.flatMap(({ waiting }) => waiting.map(({ queue, type, seconds }) => ({ labels: { queue, type }, value: seconds })))),
    ),
    gauge(
      'arkitect_queue_without_worker',
      '1 where tasks wait and nobody is connected who runs them.',
      largest(tenants.flatMap(({ without_worker }) => without_worker.map((labels) => ({ labels, value: 1 })))),
    ),
    gauge(
      'arkitect_workers',
      'Remote workers by state.',
      (['connected', 'draining', 'gone'] as const).map((state) => ({
        labels: { state },
        value: tenants.reduce((sum, { workers }) => sum + workers[state], 0),
      })),
    ),
    gauge(
      'arkitect_alerts',
      'Alerts that are not resolved, by severity.',
      (['info', 'warning', 'critical'] as const).map((severity) => ({
        labels: { severity },
        value: tenants.reduce((sum, { alerts }) => sum + alerts[severity], 0),
      })),
    ),
    gauge('arkitect_replicas', 'Replicas of the server that are alive.', snapshot ? [{ labels: {}, value: snapshot.replicas }] : []),
  ];
}

/** By queue and type over all tenants: those that are shown already, then those with most tasks; all beyond `maxLines` are one. */
function linesOf(counts: TaskCount[], shown: Set<string>): Line[] {
  const size = ([, own]: [string, Map<string, number>]) => own.get('created_total') ?? 0;
  const all = [...sumBy(counts, ({ queue, type }) => `${queue} ${type}`)].toSorted((a, b) => size(b) - size(a));
  for (const [key] of all) if (shown.size < maxLines) shown.add(key);
  const lines = all
    .filter(([key]) => shown.has(key))
    .map(([key, own]): Line => ({ labels: { queue: key.split(' ')[0]!, type: key.split(' ')[1]! }, counts: own }));
  if (lines.length === all.length) return lines;
  const summed = new Map<string, number>();
  for (const [key, own] of all) {
    if (!shown.has(key)) for (const [name, value] of own) summed.set(name, (summed.get(name) ?? 0) + value);
  }
  return [...lines, { labels: { queue: other, type: other }, counts: summed }];
}

/** One value for each queue and type, whatever tenants it is of: the largest. */
function largest(values: { labels: Line['labels']; value: number }[]): Family['values'] {
  const byLine = Map.groupBy(values, ({ labels }) => `${labels.queue} ${labels.type}`);
  return [...byLine.values()]
    .map((same) => same.reduce((most, next) => (next.value > most.value ? next : most)))
    .toSorted((a, b) => b.value - a.value)
    .slice(0, maxLines);
}

function gauge(name: string, help: string, values: Family['values']): Family {
  return { name, help: `${help} Cluster-wide.`, type: 'gauge', values };
}

function counter(name: string, help: string, values: Family['values']): Family {
  return { name, help: `${help} Cluster-wide.`, type: 'counter', values };
}

function histogram(name: string, help: string, lines: Line[], duration: Duration): Family {
  const values = lines.flatMap(({ labels, counts }) => histogramValues(name, labels, histogramOf(counts, duration)));
  return { name, help: `${help} Cluster-wide.`, type: 'histogram', values };
}
