import type { TaskAction } from '../../events/events.js';
import type { TaskStatus } from '../../tasks/task.js';

/** How often the same thing happened in one batch of the event log. */
export interface EventGroup {
  tenant_id: string;
  queue: string;
  type: string;
  action: TaskAction;
  from_status: TaskStatus | null;
  status: TaskStatus;
  /** Of a start its wait, of an end its run: the number of the bucket, from 0. */
  bucket: number | null;
  events: number;
  /** Of those durations, in seconds. */
  seconds: number;
}

/** One number of `task_counts` that changes. */
export interface CountChange {
  tenant_id: string;
  queue: string;
  type: string;
  name: string;
  change: number;
}

export type Duration = 'wait' | 'run';

export const bucketName = (duration: Duration, bucket: number) => `${duration}_bucket_${bucket}`;
export const sumName = (duration: Duration) => `${duration}_seconds_sum`;

/** What a batch of events does to the counts, each name of a queue and type once. */
export function countChanges(groups: EventGroup[]): CountChange[] {
  const changes = new Map<string, CountChange>();
  for (const group of groups) {
    const { tenant_id, queue, type, action, from_status, status, bucket, events, seconds } = group;
    const add = (name: string, change: number) => {
      const key = JSON.stringify([tenant_id, queue, type, name]);
      const known = changes.get(key);
      if (known) known.change += change;
      else changes.set(key, { tenant_id, queue, type, name, change });
    };
    if (action === 'task_deleted') {
      add(status, -events);
      continue;
    }
    if (action === 'task_created') {
      add(status, events);
      add('created_total', events);
    } else if (from_status !== null && from_status !== status) {
      add(from_status, -events);
      add(status, events);
    }
    for (const name of totals(group)) add(name, events);
    if (bucket === null) continue;
    const duration = action === 'task_started' ? 'wait' : 'run';
    add(bucketName(duration, bucket), events);
    add(sumName(duration), seconds);
  }
  return [...changes.values()].filter(({ change }) => change !== 0);
}

function totals({ action, from_status, status }: EventGroup): string[] {
  switch (action) {
    case 'task_started':
      return ['started_total'];
    case 'task_completed':
      return ['completed_total'];
    case 'task_failed':
      return ['failed_total'];
    case 'task_cancelled':
      return ['cancelled_total'];
    default:
      // An attempt that ended without ending its task.
      return from_status === 'running' && (status === 'queued' || status === 'scheduled') ? ['retried_total'] : [];
  }
}
