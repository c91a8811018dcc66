import { Inject, Injectable } from '@nestjs/common';
import { AlertsStore } from '../../../alerts/alerts.store.js';
import { AuditStore } from '../../../audit/audit.store.js';
import { ConfigStore } from '../../../config/config.store.js';
import { Database, statement } from '../../../database/database.js';
import { prune, type Retention } from '../../../engine/loops/pruner.js';
import { firstIdAt } from '../../../engine/task-id.js';
import { HistoryStore } from '../../../metrics/history/history.store.js';
import { steps } from '../../../metrics/history/series.js';
import { SETTINGS, type Settings } from '../../../settings.js';
import type { JsonObject } from '../../../tasks/task.js';
import { LogsStore } from '../../logs/logs.store.js';
import { action, type Action, type Outcome, type RunContext } from '../action.js';
import { NoParametersDto } from '../parameters.dto.js';

const alertBatch = 500;
const pointBatch = 10_000;
const auditBatch = 1_000;
const lineBatch = 2_000;

/** A dry run counts no further: it is to be short, however much there is. */
const counted = 100_000;

const countUpTo = (rows: string) => `(SELECT count(*) FROM (${rows} LIMIT ${counted}) old)`;
const pointsOf = (step: number, hours: string) =>
  `SELECT FROM metric_points WHERE step_seconds = ${step} AND at < now() - make_interval(hours => ${hours})`;

interface Counts {
  tasks: number;
  events: number;
  idempotency_keys: number;
  alerts: number;
  metric_points: number;
  audit_records: number;
  log_lines: number;
}

const oldStatement = statement<Counts>(
  'count_old',
  `SELECT ${countUpTo(`SELECT FROM tasks WHERE $1 > 0 AND status IN ('completed', 'failed', 'cancelled') AND id < $8::uuid AND finished_at < now() - make_interval(days => $1)`)} AS tasks,
       -- The oldest are at the head of the log.
       (SELECT count(*) FROM (SELECT at FROM events ORDER BY seq LIMIT ${counted}) head WHERE at < now() - make_interval(days => $2)) AS events,
       ${countUpTo('SELECT FROM idempotency_keys WHERE created_at < now() - make_interval(hours => $3)')} AS idempotency_keys,
       ${countUpTo(`SELECT FROM alerts WHERE status = 'resolved' AND resolved_at < now() - make_interval(days => $4)`)} AS alerts,
       ${countUpTo(pointsOf(steps.sample, '$5'))} + ${countUpTo(pointsOf(steps.minute, '$6'))} + ${countUpTo(pointsOf(steps.hour, '$7'))} AS metric_points,
       ${countUpTo('SELECT FROM audit_log WHERE $9 > 0 AND at < now() - make_interval(days => $9)')} AS audit_records,
       (SELECT count(*) FROM (SELECT at FROM log_lines ORDER BY id LIMIT ${counted}) head WHERE at < now() - make_interval(hours => $10)) AS log_lines`,
);

/** What the leader's pruners do by and by, now and to the end. */
@Injectable()
export class RetentionAction {
  constructor(
    private readonly database: Database,
    private readonly alerts: AlertsStore,
    private readonly history: HistoryStore,
    private readonly config: ConfigStore,
    private readonly audit: AuditStore,
    private readonly logs: LogsStore,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  readonly actions: Action[] = [
    action({
      name: 'run_retention',
      description:
        'Lets go now what is older than its retention, as the leader does by and by: tasks, events, idempotency keys, alerts, points of metrics, versions of the configuration, ' +
        'records of the audit log and lines of the log. ' +
        'A dry run counts up to 100,000 of each.',
      danger: 'destructive',
      role: 'admin',
      parameters: NoParametersDto,
      scope: 'here',
      job: true,
      preview: () => this.old(),
      run: (_parameters, context) => this.prune(context),
    }),
  ];

  private get retention(): Retention {
    const { TASKS_RETENTION_DAYS, EVENTS_RETENTION_DAYS, IDEMPOTENCY_RETENTION_HOURS } = this.settings;
    return { taskDays: TASKS_RETENTION_DAYS, eventDays: EVENTS_RETENTION_DAYS, idempotencyHours: IDEMPOTENCY_RETENTION_HOURS };
  }

  private get points(): [step: number, hours: number][] {
    const { METRICS_SAMPLES_HOURS, METRICS_MINUTES_DAYS, METRICS_HOURS_DAYS } = this.settings;
    return [
      [steps.sample, METRICS_SAMPLES_HOURS],
      [steps.minute, METRICS_MINUTES_DAYS * 24],
      [steps.hour, METRICS_HOURS_DAYS * 24],
    ];
  }

  private async old(): Promise<JsonObject> {
    const { taskDays, eventDays, idempotencyHours } = this.retention;
    const hours = this.points.map(([, kept]) => kept);
    // A task that finished that long ago was created even before.
    const bound = firstIdAt(Date.now() - taskDays * 86_400_000);
    const { ALERTS_RETENTION_DAYS, AUDIT_RETENTION_DAYS, LOGS_RETENTION_HOURS } = this.settings;
    const values = [
      taskDays,
      eventDays,
      idempotencyHours,
      ALERTS_RETENTION_DAYS,
      ...hours,
      bound,
      AUDIT_RETENTION_DAYS,
      LOGS_RETENTION_HOURS,
    ];
    const [counts] = await this.database.api.query(oldStatement, values);
    return { ...counts! };
  }

  private async prune({ signal, progress }: RunContext): Promise<Outcome> {
    const gone: Counts = { tasks: 0, events: 0, idempotency_keys: 0, alerts: 0, metric_points: 0, audit_records: 0, log_lines: 0 };
    for (let more = true; more && !signal.aborted;) {
      const batch = await prune(this.database, this.retention);
      gone.tasks += batch.tasks;
      gone.events += batch.events;
      gone.idempotency_keys += batch.keys;
      more = batch.more;
      progress(10, `${gone.tasks} tasks and ${gone.events} events are gone.`);
    }
    gone.alerts = await allOf(alertBatch, signal, () => this.alerts.prune(this.settings.ALERTS_RETENTION_DAYS, alertBatch));
    progress(50, `${gone.alerts} alerts are gone.`);
    for (const [step, hours] of this.points) {
      gone.metric_points += await allOf(pointBatch, signal, () => this.history.prune(step, hours, pointBatch));
    }
    await this.config.prune();
    const { AUDIT_RETENTION_DAYS, LOGS_RETENTION_HOURS } = this.settings;
    if (AUDIT_RETENTION_DAYS > 0)
      gone.audit_records = await allOf(auditBatch, signal, () => this.audit.prune(AUDIT_RETENTION_DAYS, auditBatch));
    gone.log_lines = await allOf(lineBatch, signal, () => this.logs.prune(LOGS_RETENTION_HOURS, lineBatch));
    return { result: { ...gone } };
  }
}

/** Batch by batch; answers how many in all. */
async function allOf(batch: number, signal: AbortSignal, run: () => Promise<number>): Promise<number> {
  for (let all = 0; ;) {
    const some = signal.aborted ? 0 : await run();
    all += some;
    if (some < batch) return all;
  }
}
