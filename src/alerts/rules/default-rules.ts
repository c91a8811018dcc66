import { checkSpec } from './rule-changes.js';
import type { RuleDefinition } from './rule.js';

/** Rules that come with the server, with the settings that differ from what a rule has by default. */

const queued = [{ label: 'status', operator: '=', value: 'queued' }];
const line = ['queue', 'type'];
const where = '{{ labels.type }} in queue {{ labels.queue }}';
const replica = 'replica {{ labels.replica }}';

function threshold(name: string, spec: Record<string, unknown>): RuleDefinition & { name: string } {
  return { name, ...checkSpec('threshold', spec) };
}

/** Only ever appended to: how many of them have been created is what the database remembers. */
export const defaultRules: readonly (RuleDefinition & { name: string })[] = [
  threshold('TaskBacklog', {
    metric: 'arkitect_tasks',
    matchers: queued,
    aggregation: 'min',
    window_seconds: 120,
    group_by: ['queue'],
    threshold: 1_000,
    recovery_threshold: 500,
    for_seconds: 300,
    annotations: {
      summary: '{{ value | round }} tasks wait in queue {{ labels.queue }}.',
      action: 'See GET /metrics/tasks whether they are worked off at all; then add workers or slots, or find out who creates so many.',
    },
  }),
  threshold('TaskWaitsTooLong', {
    metric: 'arkitect_tasks_oldest_waiting_seconds',
    threshold: 600,
    recovery_threshold: 300,
    for_seconds: 120,
    annotations: {
      summary: `The oldest task of ${where} has waited for {{ value | divided_by: 60 | round }} minutes.`,
      action:
        'Look whether workers for this type and queue are connected (GET /workers) and busy; add some, or raise the priority of what must not wait.',
    },
  }),
  threshold('TasksFail', {
    metric: 'arkitect_task_failure_ratio',
    threshold: 0.5,
    recovery_threshold: 0.25,
    for_seconds: 120,
    annotations: {
      summary: `{{ value | times: 100 | round }} % of the tasks of ${where} failed, of at least 20 within five minutes.`,
      action:
        'Read the errors: GET /tasks?status=failed&type={{ labels.type }}. When the cause is gone, retry them: POST /tasks/{id}/retry.',
    },
  }),
  threshold('RetryStorm', {
    metric: 'arkitect_task_attempts_total',
    matchers: [{ label: 'outcome', operator: '=', value: 'retried' }],
    aggregation: 'increase',
    window_seconds: 300,
    group_by: line,
    threshold: 100,
    recovery_threshold: 50,
    for_seconds: 60,
    annotations: {
      summary: `{{ value | round }} attempts of ${where} failed within five minutes and are tried again.`,
      action:
        'Something that these tasks need is probably down. Read the errors of one: GET /tasks/{id}/attempts; give the type a longer backoff.',
    },
  }),
  threshold('QueueWithoutWorker', {
    metric: 'arkitect_queue_without_worker',
    aggregation: 'max',
    comparator: '>=',
    threshold: 1,
    for_seconds: 120,
    severity: 'critical',
    annotations: {
      summary: `Tasks of ${where} wait, and nobody who is connected runs them.`,
      action: 'Start a worker for this type and queue, or correct the type of the tasks if it is a slip.',
    },
  }),
  threshold('WorkerLost', {
    metric: 'arkitect_workers',
    matchers: [{ label: 'state', operator: '=', value: 'gone' }],
    threshold: 0,
    for_seconds: 60,
    annotations: {
      summary: '{{ value | round }} remote workers have fallen silent without a goodbye.',
      action:
        'GET /workers says which. Look whether their machines run and reach this server; their tasks go back to the queues by themselves.',
    },
  }),
  threshold('LeasesExpire', {
    metric: 'arkitect_leases_expired_total',
    aggregation: 'increase',
    window_seconds: 600,
    group_by: line,
    threshold: 5,
    recovery_threshold: 1,
    annotations: {
      summary: `{{ value | round }} attempts of ${where} lost their lease within ten minutes.`,
      action:
        'Their workers died, or their event loops stood still: look for crashes and for handlers that block, and give long ones heartbeats.',
    },
  }),
  threshold('EventLoopLag', {
    metric: 'arkitect_event_loop_lag_seconds',
    aggregation: 'min',
    window_seconds: 120,
    threshold: 0.25,
    recovery_threshold: 0.1,
    for_seconds: 60,
    annotations: {
      summary: `The event loop of ${replica} lags by {{ value | times: 1000 | round }} ms.`,
      action: 'The process is short of CPU or runs something that blocks: move heavy handlers to remote workers, or add a replica.',
    },
  }),
  threshold('HighCpu', {
    metric: 'arkitect_cpu_usage',
    aggregation: 'avg',
    window_seconds: 600,
    min_samples: 30,
    threshold: 90,
    recovery_threshold: 80,
    for_seconds: 300,
    annotations: {
      summary: `The processors of ${replica} are busy for {{ value | round }} %.`,
      action: 'Look what takes them (GET /metrics has the share of this process); lower RUNNER_SLOTS, or add a machine.',
    },
  }),
  threshold('HighMemory', {
    metric: 'arkitect_memory_usage',
    aggregation: 'avg',
    window_seconds: 300,
    min_samples: 15,
    threshold: 90,
    recovery_threshold: 85,
    for_seconds: 300,
    annotations: {
      summary: `The memory of ${replica} is full to {{ value | round }} %.`,
      action:
        'Look what takes it before the system ends a process: GET /metrics has the size of this one. Give it more, or move what else runs there.',
    },
  }),
  threshold('DiskFillsUp', {
    metric: 'arkitect_disk_usage',
    threshold: 85,
    recovery_threshold: 80,
    for_seconds: 300,
    annotations: {
      summary: `The disk of DATA_DIR on ${replica} is full to {{ value | round }} %.`,
      action: 'Make room or enlarge it; shorter TASKS_RETENTION_DAYS and EVENTS_RETENTION_DAYS keep less.',
    },
  }),
  threshold('DiskAlmostFull', {
    metric: 'arkitect_disk_usage',
    threshold: 95,
    recovery_threshold: 92,
    for_seconds: 60,
    severity: 'critical',
    annotations: {
      summary: `The disk of DATA_DIR on ${replica} is full to {{ value | round }} %; when it is full, nothing can be stored.`,
      action: 'Make room now.',
    },
  }),
  threshold('DatabaseSlow', {
    metric: 'arkitect_database_latency_seconds',
    aggregation: 'avg',
    window_seconds: 300,
    min_samples: 15,
    threshold: 0.1,
    recovery_threshold: 0.05,
    for_seconds: 120,
    annotations: {
      summary: `The shortest statement of ${replica} takes {{ value | times: 1000 | round }} ms.`,
      action: 'Look at the load of the database and at the network to it; long queries of others are in pg_stat_activity.',
    },
  }),
  threshold('DatabasePoolExhausted', {
    metric: 'arkitect_database_pool_waiting',
    aggregation: 'min',
    window_seconds: 60,
    threshold: 5,
    recovery_threshold: 0,
    for_seconds: 60,
    annotations: {
      summary: `{{ value | round }} callers of ${replica} wait for a database connection.`,
      action: 'Raise DATABASE_POOL_SIZE if the database can take it, or find out why statements take so long.',
    },
  }),
  threshold('RedisDown', {
    metric: 'arkitect_redis_up',
    aggregation: 'max',
    comparator: '<',
    threshold: 1,
    for_seconds: 60,
    annotations: {
      summary: `Redis does not answer ${replica}. Nothing is lost, but updates between replicas are slower.`,
      action: 'Look whether Redis runs at REDIS_URL and can be reached from there.',
    },
  }),
];
