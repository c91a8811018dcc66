import { Injectable } from '@nestjs/common';
import type { Principal } from '../../../auth/principal.js';
import { Engine } from '../../../engine/engine.js';
import type { PurgeFilter } from '../../../engine/transitions/purge.js';
import { CodedError } from '../../../errors/coded-error.js';
import { action, type Action, type Outcome, type RunContext } from '../action.js';
import { PurgeDto } from '../parameters.dto.js';

const batch = 500;
const samples = 10;
const lowestId = '00000000-0000-0000-0000-000000000000';

/** Deletes tasks by a filter. */
@Injectable()
export class PurgeAction {
  constructor(private readonly engine: Engine) {}

  readonly actions: Action[] = [
    action({
      name: 'purge_tasks',
      description:
        'Deletes tasks that match, with their attempts and logs; each is told of as task_deleted. Tasks that run are never taken. A dry run answers how many ' +
        'there are, the oldest of them, and the token that the run needs as `confirm`: of the same caller, for the same parameters, once, within ten minutes. ' +
        'What was created after the dry run is left.',
      danger: 'destructive',
      role: 'admin',
      parameters: PurgeDto,
      scope: 'here',
      job: true,
      confirm: true,
      prepare,
      asPreviewed: (parameters, at) => {
        const { created_before = at } = parameters;
        return { ...parameters, created_before: Date.parse(created_before) < Date.parse(at) ? created_before : at };
      },
      preview: async (parameters) => {
        const { count, sample } = await this.engine.purgeable(filterOf(parameters), samples);
        return { count, sample: sample.map((task) => ({ ...task })) };
      },
      run: (parameters, context) => this.purge(filterOf(parameters), context),
    }),
  ];

  private async purge(filter: PurgeFilter, { signal, progress }: RunContext): Promise<Outcome> {
    const { count } = await this.engine.purgeable(filter, 0);
    let deleted = 0;
    for (let after = lowestId; ;) {
      if (signal.aborted)
        throw new CodedError('UNAVAILABLE', `The replica stops; ${deleted} tasks have been deleted. Run the action again for the rest.`);
      const { purged, last } = await this.engine.purge(filter, after, batch);
      deleted += purged;
      if (last === null) return { result: { deleted } };
      after = last;
      progress(count === 0 ? 100 : (100 * deleted) / count, `${deleted} of ${count} tasks are deleted.`);
    }
  }
}

function prepare(parameters: PurgeDto, { role, tenant_id }: Principal): PurgeDto {
  if (parameters.tenant_id !== undefined && parameters.tenant_id !== tenant_id && role !== 'root') {
    throw new CodedError(
      'FORBIDDEN',
      `The role ${role} deletes tasks of its own tenant alone. Leave tenant_id out, or use the root token.`,
    );
  }
  return { ...parameters, tenant_id: parameters.tenant_id ?? tenant_id };
}

/** Its tenant has been filled in. */
function filterOf({ tenant_id, ...filter }: PurgeDto): PurgeFilter {
  return { ...filter, tenant_id: tenant_id! };
}
