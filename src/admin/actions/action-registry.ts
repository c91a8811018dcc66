import { Injectable } from '@nestjs/common';
import type { Action } from './action.js';
import { CacheActions } from './kinds/cache.js';
import { ConfigActions } from './kinds/config.js';
import { DatabaseActions } from './kinds/database.js';
import { DiagnosticsAction } from './kinds/diagnostics.js';
import { DrainActions } from './kinds/drain.js';
import { ProfileActions } from './kinds/profiles.js';
import { PurgeAction } from './kinds/purge.js';
import { RetentionAction } from './kinds/retention.js';
import { RescueAction } from './kinds/rescue.js';
import { RotateAction } from './kinds/rotate.js';

/** Where actions come from; each kind is a class of its own, as it needs other parts of the server. */
export const actionKinds = [
  ConfigActions,
  DrainActions,
  CacheActions,
  PurgeAction,
  DatabaseActions,
  RetentionAction,
  RescueAction,
  RotateAction,
  ProfileActions,
  DiagnosticsAction,
];

/** All that admins can have the server do. */
@Injectable()
export class ActionRegistry {
  readonly all: readonly Action[];
  private readonly byName: ReadonlyMap<string, Action>;

  constructor(
    config: ConfigActions,
    drain: DrainActions,
    cache: CacheActions,
    purge: PurgeAction,
    database: DatabaseActions,
    retention: RetentionAction,
    rescue: RescueAction,
    rotate: RotateAction,
    profiles: ProfileActions,
    diagnostics: DiagnosticsAction,
  ) {
    const kinds = [config, drain, cache, purge, database, retention, rescue, rotate, profiles, diagnostics];
    this.all = kinds.flatMap(({ actions }) => actions);
    this.byName = new Map(this.all.map((action) => [action.name, action]));
  }

  find(name: string): Action | undefined {
    return this.byName.get(name);
  }
}
