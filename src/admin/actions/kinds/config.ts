import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { ConfigService } from '../../../config/config.service.js';
import { ConfigSync } from '../../../config/config-sync.js';
import { LiveSettings, type SettingValue } from '../../../live-settings.js';
import type { SettingKey } from '../../../settings.js';
import type { JsonObject } from '../../../tasks/task.js';
import { REPLICA_ID } from '../../../workers/workers.tokens.js';
import { action, type Action, type RunContext } from '../action.js';
import { LogLevelDto, NoParametersDto, PauseDto, ResumeDto } from '../parameters.dto.js';

/** Replicas acknowledge within some milliseconds; one that has lost the hint, or is just ending, does not. */
const acknowledgedMs = 5_000;

interface Boxed {
  reason?: string;
  expires_in_seconds?: number;
}

/** What is done by a version of the configuration: kept, acknowledged by every replica, and undone by POST /config/rollback. */
@Injectable()
export class ConfigActions {
  constructor(
    private readonly config: ConfigService,
    private readonly live: LiveSettings,
    private readonly sync: ConfigSync,
    @Inject(REPLICA_ID) private readonly replicaId: string,
  ) {}

  readonly actions: Action[] = [
    this.setting('pause_all', 'Begins no queued task any more, on any replica and by any worker. What runs goes on, and everything else.', {
      danger: 'disruptive',
      parameters: PauseDto,
      change: () => ['CLAIMS_PAUSED', true],
    }),
    this.setting('resume_all', 'Begins queued tasks again.', {
      danger: 'safe',
      parameters: ResumeDto,
      change: () => ['CLAIMS_PAUSED', this.off('CLAIMS_PAUSED')],
    }),
    this.setting('maintenance_on', 'Refuses writes on every door, and begins no queued task.', {
      danger: 'disruptive',
      parameters: PauseDto,
      change: () => ['MAINTENANCE_MODE', true],
    }),
    this.setting('maintenance_off', 'Takes writes again, and begins queued tasks.', {
      danger: 'safe',
      parameters: ResumeDto,
      change: () => ['MAINTENANCE_MODE', this.off('MAINTENANCE_MODE')],
    }),
    this.setting('set_log_level', 'Logs more or less, on every replica.', {
      danger: 'safe',
      parameters: LogLevelDto,
      change: ({ level }) => ['LOG_LEVEL', level],
    }),
    action({
      name: 'reload_config',
      description:
        'Every replica reads its .env again, and the latest version of the configuration. The result says for each whether it took its file: ' +
        'broken ones are not taken, and the values before hold.',
      danger: 'safe',
      role: 'admin',
      parameters: NoParametersDto,
      scope: 'every',
      job: false,
      run: async () => ({ result: await this.reload() }),
    }),
  ];

  private setting<Parameters extends Boxed>(
    name: string,
    description: string,
    {
      change,
      ...rest
    }: Pick<Action<Parameters>, 'danger' | 'parameters'> & { change(parameters: Parameters): [SettingKey, SettingValue | null] },
  ): Action {
    const set = async (parameters: Parameters, { by }: RunContext, dry_run: boolean) => {
      const [key, value] = change(parameters);
      const { reason, expires_in_seconds } = parameters;
      const changes = { [key]: value };
      return this.config.set(by, { changes, dry_run, ...(reason && { reason }), ...(expires_in_seconds && { expires_in_seconds }) });
    };
    return action<Parameters>({
      name,
      description,
      ...rest,
      role: 'admin',
      scope: 'here',
      job: false,
      preview: async (parameters, context) => plain(await set(parameters, context, true)),
      run: async (parameters, context) => {
        const { version, changes, expires_at } = await set(parameters, context, false);
        return { result: plain({ version, changes, expires_at, ...(version > 0 && (await this.acknowledged(version))) }) };
      },
    });
  }

  /** No override, unless something weaker says that it is on. */
  private off(key: SettingKey): false | null {
    const weaker = this.live.said(key).find(({ source }) => source !== 'override');
    return weaker?.value === true ? false : null;
  }

  /** Which replicas work with the version; those that are just ending are not waited for long. */
  private async acknowledged(version: number): Promise<{ complete: boolean; replicas: object[] }> {
    const deadline = performance.now() + acknowledgedMs;
    for (;;) {
      const { complete, replicas } = await this.config.version(version);
      if (complete || performance.now() > deadline) {
        return { complete, replicas: replicas.map(({ replica_id, applied_at }) => ({ replica_id, applied_at })) };
      }
      await sleep(25);
    }
  }

  private async reload(): Promise<JsonObject> {
    this.sync.reloadFile();
    await this.sync.refresh();
    const { fileProblem, watchesFile, version } = this.sync;
    const env_file = fileProblem ? 'broken' : watchesFile ? 'taken' : 'none';
    return { replica_id: this.replicaId, env_file, problem: fileProblem?.summary ?? null, version };
  }
}

/** As it is answered and kept. */
function plain(answer: object): JsonObject {
  return JSON.parse(JSON.stringify(answer)) as JsonObject;
}
