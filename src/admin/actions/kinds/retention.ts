import { Inject, Injectable } from '@nestjs/common';
import { AlertsStore } from '../../../alerts/alerts.store.js';
import { ConfigStore } from '../../../config/config.store.js';
import { Database, statement } from '../../../database/database.js';
import { prune, type Retention } from '../../../engine/loops/pruner.js';
import { firstIdAt } from '../../../engine/task-id.js';
import { HistoryStore } from '../../../metrics/history/history.store.js';
import { steps } from '../../../metrics/history/series.js';
import { SETTINGS, type Settings } from '../../../settings.js';
import type { JsonObject } from '../../../tasks/task.js';
import { action, type Action, type Outcome, type RunContext } from '../action.js';
import { NoParametersDto } from '../parameters.dto.js';

const alertBatch = 500;
const pointBatch = 10_000;

/** A dry run counts no further: it is to be short, however much there is. */
const counted = 100_000;

const countUpTo = (rows: string) => `(SELECT count(*) FROM (${rows} LIMIT ${counted}) old)`;
const pointsOf = (step: number, hours: string) =>
  `SELECT FROM metric_points WHERE step_seconds = ${step} AND at < now() - make_interval(hours => ${hours})`;

const oldStatement = statement<{ tasks: number; events: number; idempotency_keys: number; alerts: number; metric_points: number }>(
  'count_old',
  `SELECT ${countUpTo(`SELECT FROM tasks WHERE $1 > 0 AND status IN ('completed', 'failed', 'cancelled') AND id < $8::uuid AND finished_at < now() - make_interval(days => $1)`)} AS tasks,
       -- The oldest are at the head of the log.
       (SELECT count(*) FROM (SELECT at FROM events ORDER BY seq LIMIT ${counted}) head WHERE at < now() - make_interval(days => $2)) AS events,
       ${countUpTo('SELECT FROM idempotency_keys WHERE created_at < now() - make_interval(hours => $3)')} AS idempotency_keys,
       ${countUpTo(`SELECT FROM alerts WHERE status = 'resolved' AND resolved_at < now() - make_interval(days => $4)`)} AS alerts,
       ${countUpTo(pointsOf(steps.sample, '$5'))} + ${countUpTo(pointsOf(steps.minute, '$6'))} + ${countUpTo(pointsOf(steps.hour, '$7'))} AS metric_points`,
);

/** What the leader's pruners do by and by, now and to the end. */
@Injectable()
export class RetentionAction {
  constructor(
    private readonly database: Database,
    private readonly alerts: AlertsStore,
    private readonly history: HistoryStore,
    private readonly config: ConfigStore,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  readonly actions: Action[] = [
    action({
      name: 'run_retention',
      description:
        'Lets go now what is older than its retention, as the leader does by and by: tasks, events, idempotency keys, alerts, points of metrics, versions of the configuration. ' +
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
    const values = [taskDays, eventDays, idempotencyHours, this.settings.ALERTS_RETENTION_DAYS, ...hours, bound];
    const [counts] = await this.database.api.query(oldStatement, values);
    return { ...counts! };
  }

  private async prune({ signal, progress }: RunContext): Promise<Outcome> {
    const gone = { tasks: 0, events: 0, idempotency_keys: 0, alerts: 0, metric_points: 0 };
    for (let more = true; more && !signal.aborted;) {
      const batch = await prune(this.database, this.retention);
      gone.tasks += batch.tasks;
      gone.events += batch.events;
      gone.idempotency_keys += batch.keys;
      more = batch.more;
      progress(10, `${gone.tasks} tasks and ${gone.events} events are gone.`);
    }
    await untilLess(alertBatch, signal, async () => {
      const pruned = await this.alerts.prune(this.settings.ALERTS_RETENTION_DAYS, alertBatch);
      gone.alerts += pruned;
      return pruned;
    });
    progress(50, `${gone.alerts} alerts are gone.`);
    for (const [step, hours] of this.points) {
      await untilLess(pointBatch, signal, async () => {
        const pruned = await this.history.prune(step, hours, pointBatch);
        gone.metric_points += pruned;
        return pruned;
      });
    }
    await this.config.prune();
    return { result: gone };
  }
}

async function untilLess(batch: number, signal: AbortSignal, run: () => Promise<number>): Promise<void> {
  while (!signal.aborted && (await run()) === batch);
}
