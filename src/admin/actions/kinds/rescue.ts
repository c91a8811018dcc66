import { Inject, Injectable } from '@nestjs/common';
import { Database, statement } from '../../../database/database.js';
import { Engine } from '../../../engine/engine.js';
import { SETTINGS, type Settings } from '../../../settings.js';
import { action, type Action, type Outcome, type RunContext } from '../action.js';
import { NoParametersDto } from '../parameters.dto.js';

const batch = 500;

const expiredStatement = statement<{ count: number }>(
  'count_expired_leases',
  `SELECT count(*) AS count FROM tasks
WHERE status IN ('running', 'cancelling') AND (lease_expires_at < now() OR cancel_requested_at < now() - make_interval(secs => $1))`,
);

/** What the leader does every few seconds, now. */
@Injectable()
export class RescueAction {
  constructor(
    private readonly engine: Engine,
    private readonly database: Database,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  readonly actions: Action[] = [
    action({
      name: 'requeue_expired',
      description:
        'Takes tasks back now whose lease has expired, and ends those that ignore their cancel, as the leader does every few seconds: back to their queue, ' +
        'or failed after ENGINE_MAX_RESCUES.',
      danger: 'safe',
      role: 'admin',
      parameters: NoParametersDto,
      scope: 'here',
      job: true,
      preview: async () => {
        const [row] = await this.database.api.query(expiredStatement, [this.settings.ENGINE_CANCEL_GRACE_SECONDS]);
        return { expired: row!.count };
      },
      run: (_parameters, context) => this.rescue(context),
    }),
  ];

  private async rescue({ signal, progress }: RunContext): Promise<Outcome> {
    const { ENGINE_MAX_RESCUES: max_rescues, ENGINE_CANCEL_GRACE_SECONDS: cancel_grace_seconds } = this.settings;
    let rescued = 0;
    for (;;) {
      const moved = await this.engine.rescue({ max_rescues, cancel_grace_seconds, limit: batch });
      rescued += moved;
      if (moved < batch || signal.aborted) return { result: { rescued } };
      progress(50, `${rescued} tasks are taken back.`);
    }
  }
}
