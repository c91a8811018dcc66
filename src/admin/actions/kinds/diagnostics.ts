import { Inject, Injectable, Logger } from '@nestjs/common';
import { settingAnswers } from '../../../config/config-answers.js';
import { ConfigService } from '../../../config/config.service.js';
import { ConfigStore } from '../../../config/config.store.js';
import { ConfigSync } from '../../../config/config-sync.js';
import { Database, statement } from '../../../database/database.js';
import { HealthService } from '../../../health/health.service.js';
import { LiveSettings } from '../../../live-settings.js';
import { Runner } from '../../../runner/runner.js';
import { REPLICA_ID } from '../../../workers/workers.tokens.js';
import { LogsService } from '../../logs/logs.service.js';
import { SystemService } from '../../system/system.service.js';
import { action, type Action, type Outcome, type RunContext } from '../action.js';
import { ActionsStore } from '../actions.store.js';
import { MaybeReplicaDto } from '../parameters.dto.js';

const recentEvents = 10_000;
const recentRuns = 50;
const recentVersions = 20;
const recentLines = 200;

const tablesStatement = statement(
  'diagnose_tables',
  `SELECT relname AS name, n_live_tup AS rows, n_dead_tup AS dead_rows, pg_total_relation_size(relid) AS bytes, seq_scan, idx_scan,
          last_autovacuum, last_autoanalyze, last_vacuum, last_analyze
   FROM pg_stat_user_tables WHERE schemaname = current_schema() ORDER BY relname`,
);
const eventsStatement = statement(
  'diagnose_events',
  `SELECT action, count(*) AS count, min(at) AS since FROM (SELECT action, at FROM events ORDER BY seq DESC LIMIT ${recentEvents}) recent GROUP BY action ORDER BY action`,
);
const countsStatement = statement(
  'diagnose_tasks',
  'SELECT tenant_id, queue, type, name, value FROM task_counts ORDER BY 1, 2, 3, 4 LIMIT 10000',
);
const workersStatement = statement(
  'diagnose_workers',
  'SELECT id, state, door, replica_id, types, queues, slots, in_flight, sdk, last_beat_at FROM workers ORDER BY id LIMIT 1000',
);

/**
 * All that somebody needs who helps from afar, in one file, and no secret: what is put in is picked, not filtered. Neither parameters nor results of tasks,
 * nor labels of alerts, nor texts of statements. Lines of the log come as they were stored, without secrets.
 */
@Injectable()
export class DiagnosticsAction {
  private readonly logger = new Logger('Actions');

  constructor(
    private readonly database: Database,
    private readonly store: ActionsStore,
    private readonly config: ConfigService,
    private readonly configStore: ConfigStore,
    private readonly sync: ConfigSync,
    private readonly live: LiveSettings,
    private readonly health: HealthService,
    private readonly runner: Runner,
    private readonly system: SystemService,
    private readonly logs: LogsService,
    @Inject(REPLICA_ID) private readonly replicaId: string,
  ) {}

  readonly actions: Action[] = [
    action<MaybeReplicaDto>({
      name: 'diagnostics',
      description:
        'One file for those who help from afar: the replica, its settings (secrets masked), health, migrations, tables, counts of tasks and events, replicas, workers, ' +
        'the latest changes of settings, runs of actions, and warnings and errors of the log. No secret is in it, and nothing that tasks carry.',
      danger: 'safe',
      role: 'admin',
      parameters: MaybeReplicaDto,
      scope: 'one',
      job: true,
      file: true,
      run: (_parameters, context) => this.gather(context),
    }),
  ];

  /** What is in the file; a part of the server that has something to add adds it here. */
  private readonly sections: Record<string, () => unknown> = {
    system: () => this.system.system(),
    runner: () => this.runner.load,
    settings: () => settingAnswers(this.live, this.sync.overrides),
    changes_of_settings: () => this.config.history({ limit: recentVersions }),
    health: () => this.health.ready(),
    acknowledgements: () => this.configStore.acknowledgements(this.sync.version),
    tables: () => this.rows(tablesStatement),
    events: () => this.rows(eventsStatement),
    tasks: () => this.rows(countsStatement),
    workers: () => this.rows(workersStatement),
    log: () => this.logs.list({ level: 'warn', limit: recentLines }),
    actions: async () => (await this.store.list(undefined, undefined, undefined, recentRuns)).map(({ result: _result, ...run }) => run),
  };

  private async gather({ progress, file }: RunContext): Promise<Outcome> {
    const gathered: Record<string, unknown> = { made_at: new Date().toISOString() };
    const missing: string[] = [];
    const names = Object.keys(this.sections);
    for (const [index, name] of names.entries()) {
      progress((100 * index) / names.length, name);
      try {
        gathered[name] = await this.sections[name]!();
      } catch (error) {
        // Messages of drivers may name hosts and values.
        this.logger.warn(`The section ${name} of a diagnostics bundle could not be made: ${(error as Error).message}`);
        missing.push(name);
      }
    }
    const text = JSON.stringify({ ...gathered, missing }, null, 2);
    await file(`diagnostics-${this.replicaId}.json`, once(text));
    return { result: { sections: names.filter((name) => !missing.includes(name)), missing } };
  }

  private rows(query: { name: string; text: string }): Promise<object[]> {
    return this.database.api.query<object>(query);
  }
}

async function* once(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}
