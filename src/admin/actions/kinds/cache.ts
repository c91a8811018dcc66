import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../../database/database.js';
import { HistoryStore } from '../../../metrics/history/history.store.js';
import { KnownTypes } from '../../../workers/known-types.js';
import { REPLICA_ID } from '../../../workers/workers.tokens.js';
import { action, type Action } from '../action.js';
import { NoParametersDto } from '../parameters.dto.js';

/** Forgets what replicas keep in memory of the database. */
@Injectable()
export class CacheActions {
  constructor(
    private readonly database: Database,
    private readonly knownTypes: KnownTypes,
    private readonly history: HistoryStore,
    @Inject(REPLICA_ID) private readonly replicaId: string,
  ) {}

  readonly actions: Action[] = [
    action({
      name: 'clear_cache',
      description:
        'Every replica forgets what it has kept in memory of the database: types that workers have announced, series of metrics, and how its idle connections ' +
        'have planned their statements. All of it comes back when it is needed.',
      danger: 'safe',
      role: 'admin',
      parameters: NoParametersDto,
      scope: 'every',
      job: false,
      run: async () => ({
        result: {
          replica_id: this.replicaId,
          worker_types: this.knownTypes.forget(),
          metric_series: this.history.forget(),
          connections_without_plans: await this.database.forgetPlans(),
        },
      }),
    }),
  ];
}
