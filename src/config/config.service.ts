import { Inject, Injectable } from '@nestjs/common';
import { noteChange, noteUnchanged } from '../audit/note-change.js';
import type { Principal } from '../auth/principal.js';
import { CodedError } from '../errors/coded-error.js';
import { WakeUps } from '../events/wake-ups.js';
import { pageOf, type Page } from '../input/page.js';
import { LiveSettings, sameValue } from '../live-settings.js';
import type { SettingKey } from '../settings.js';
import { REPLICA_ID } from '../workers/workers.tokens.js';
import { checkTogether, readChanges } from './checks.js';
import {
  appliedAnswer,
  changeAnswers,
  effectAnswers,
  settingAnswers,
  versionAnswer,
  type AppliedAnswer,
  type ChangeAnswer,
  type ChangedAnswer,
  type ConfigAnswer,
  type VersionAnswer,
} from './config-answers.js';
import { ConfigSync } from './config-sync.js';
import type { ConfigHistoryDto, RollbackConfigDto, SetConfigDto } from './config.dto.js';
import { configSchema } from './config.schema.js';
import { ConfigStore, type CurrentConfig, type DraftVersion } from './config.store.js';
import {
  changesBetween,
  endedOverrides,
  isOverAt,
  keysOf,
  textsOfOverrides,
  withChanges,
  type ConfigVersion,
  type FindVersion,
  type Override,
  type Overrides,
} from './overrides.js';

/** A change that is tried: what would hold, and what is to be kept with it. */
interface Plan {
  overrides: Overrides;
  rest: Pick<DraftVersion, 'reason' | 'expires_at' | 'rolled_back_to'>;
}

/** What clients do with the configuration, for all doors alike. It is one for the whole cluster, whatever the tenant. */
@Injectable()
export class ConfigService {
  constructor(
    private readonly store: ConfigStore,
    private readonly live: LiveSettings,
    private readonly sync: ConfigSync,
    private readonly wakeUps: WakeUps,
    @Inject(REPLICA_ID) private readonly replicaId: string,
  ) {}

  get(): ConfigAnswer {
    const { version, overrides } = this.sync;
    return { version, replica_id: this.replicaId, settings: settingAnswers(this.live, overrides) };
  }

  schema(): Record<string, unknown> {
    return configSchema();
  }

  /** All of it or nothing. */
  set(caller: Principal, { changes, reason, expires_in_seconds, dry_run }: SetConfigDto, version?: number): Promise<ChangedAnswer> {
    const values = readChanges(changes);
    return this.change(caller, dry_run, version, async (current, now) => {
      const expires_at = expires_in_seconds === undefined ? null : new Date(Date.parse(now) + expires_in_seconds * 1_000).toISOString();
      const made = { version: current.version + 1, by: caller.name, at: now, expires_at };
      const changed = new Map<SettingKey, Override | null>();
      for (const [key, value] of values) {
        const before = current.overrides[key];
        const isSame = before ? sameValue(before.value, value) && before.expires_at === null && expires_at === null : value === null;
        if (!isSame) changed.set(key, value === null ? null : { value, ...made });
      }
      return { overrides: withChanges(current.overrides, changed), rest: { reason: reason ?? null, expires_at, rolled_back_to: null } };
    });
  }

  async rollback(caller: Principal, { version: to, reason, dry_run }: RollbackConfigDto, version?: number): Promise<ChangedAnswer> {
    return this.change(caller, dry_run, version, async (current, at, find) => {
      const target = to === 0 ? { overrides: {} } : await this.existing(to, find);
      const isOver = isOverAt(Date.parse(at));
      const wanted = await endedOverrides(target.overrides, isOver, find);
      const made = { version: current.version + 1, by: caller.name, at, expires_at: null };
      const kept = new Map<SettingKey, Override | null>();
      for (const key of keysOf(wanted)) {
        const override = wanted[key]!;
        const now = current.overrides[key];
        const isSame = now && sameValue(now.value, override.value) && now.expires_at === override.expires_at;
        // What was to end by itself still is.
        if (isSame) kept.set(key, now);
        else kept.set(key, override.expires_at === null ? { value: override.value, ...made } : override);
      }
      return { overrides: withChanges({}, kept), rest: { reason: reason ?? null, expires_at: null, rolled_back_to: to } };
    });
  }

  async history({ cursor = Number.MAX_SAFE_INTEGER, limit }: ConfigHistoryDto): Promise<Page<VersionAnswer, number>> {
    const rows = await this.store.list(cursor, limit + 1);
    return pageOf(rows.map(versionAnswer), limit, ({ version }) => version);
  }

  async version(number: number): Promise<AppliedAnswer> {
    const version = await this.existing(number, (wanted) => this.store.find(wanted));
    return appliedAnswer(version, await this.store.acknowledgements(number));
  }

  private async change(
    caller: Principal,
    dryRun: boolean,
    expected: number | undefined,
    plan: (current: CurrentConfig, now: string, find: FindVersion) => Promise<Plan>,
  ): Promise<ChangedAnswer> {
    let answer: Omit<ChangedAnswer, 'live_on' | 'restart_on'> | undefined;
    const added = await this.store.change(async (current, now, find) => {
      if (expected !== undefined && expected !== current.version) throw configVersionMismatch(current.version, expected);
      const { overrides, rest } = await plan(current, now, find);
      const changes = changesBetween(current.overrides, overrides);
      await this.check(overrides, new Set(keysOf(changes)), find);
      const isChange = keysOf(changes).length > 0;
      const told = changeAnswers(changes);
      const effects = effectAnswers(this.live, overrides, keysOf(changes));
      answer = {
        dry_run: dryRun,
        version: current.version + (isChange ? 1 : 0),
        changes: told,
        effects,
        expires_at: rest.expires_at,
      };
      if (dryRun || !isChange) return undefined;
      const event = { ...rest, by: caller.name, reverted_from: null, changes: told };
      return { changes, overrides, by: caller.name, reverted_from: null, ...rest, event };
    });
    if (!added) noteUnchanged();
    else {
      noteChange({ id: String(added.version), ...sidesOf(answer!.changes) });
      this.wakeUps.signal('events', 'config');
      await this.sync.refresh();
    }
    return { ...answer!, ...(await this.where(answer!.effects)) };
  }

  /** Now, and once what is time-boxed has ended. */
  private async check(overrides: Overrides, changed: ReadonlySet<SettingKey>, find: FindVersion): Promise<void> {
    checkTogether(this.live, textsOfOverrides(overrides), changed);
    const ended = await endedOverrides(overrides, ({ expires_at }) => expires_at !== null, find);
    checkTogether(this.live, textsOfOverrides(ended), changed, 'when time-boxed changes have ended: ');
  }

  private async where(effects: ChangedAnswer['effects']): Promise<Pick<ChangedAnswer, 'live_on' | 'restart_on'>> {
    const replicas = (await this.store.acknowledgements(0)).map(({ replica_id }) => replica_id);
    const has = (effect: string) => effects.some(({ takes_effect }) => takes_effect === effect);
    return { live_on: has('live') ? replicas : [], restart_on: has('restart') ? replicas : [] };
  }

  private async existing(version: number, find: FindVersion): Promise<ConfigVersion> {
    const found = await find(version);
    if (!found)
      throw new CodedError(
        'NOT_FOUND',
        `There is no version ${version} of the configuration. GET /config/history lists those that there are.`,
      );
    return found;
  }
}

function sidesOf(changes: ChangeAnswer[]): { before: object; after: object } {
  const side = (of: 'from' | 'to') => Object.fromEntries(changes.map((change) => [change.key, change[of]]));
  return { before: side('from'), after: side('to') };
}

function configVersionMismatch(version: number, expected: number): CodedError {
  return new CodedError(
    'VERSION_MISMATCH',
    `The configuration is at version ${version}, not ${expected}. Read it again and repeat your change on what you find.`,
  );
}
