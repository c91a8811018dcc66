import { sameValue, type LiveSettings, type SettingValue } from '../live-settings.js';
import { definitionOf, settingKeys, type SettingKey, type SourceName } from '../settings.js';
import type { Acknowledgement } from './config.store.js';
import { keysOf, textsOfOverrides, type ConfigVersion, type Override, type Overrides } from './overrides.js';

/** What doors answer. */

export interface SourceAnswer {
  source: SourceName;
  /** Null for a secret. */
  value: SettingValue | null;
  has_value: boolean;
}

export interface SettingAnswer extends SourceAnswer {
  key: SettingKey;
  effect: 'live' | 'restart';
  scope: 'env-only' | 'run-time';
  secret: boolean;
  restart_needed: boolean;
  running_value: SettingValue | null;
  version: number | null;
  set_by: string | null;
  set_at: string | null;
  expires_at: string | null;
  hides: SourceAnswer[];
}

export interface ConfigAnswer {
  version: number;
  replica_id: string;
  settings: SettingAnswer[];
}

export interface ChangeAnswer {
  key: SettingKey;
  from: SettingValue | null;
  to: SettingValue | null;
}

export interface VersionAnswer {
  version: number;
  at: string;
  by: string;
  reason: string | null;
  expires_at: string | null;
  reverted_from: number | null;
  rolled_back_to: number | null;
  changes: ChangeAnswer[];
}

export interface EffectAnswer extends ChangeAnswer {
  takes_effect: 'live' | 'restart' | 'not';
}

export interface ChangedAnswer {
  dry_run: boolean;
  version: number;
  changes: ChangeAnswer[];
  effects: EffectAnswer[];
  live_on: string[];
  restart_on: string[];
  expires_at: string | null;
}

export interface AppliedAnswer extends VersionAnswer {
  overrides: Record<string, SettingValue>;
  replicas: Acknowledgement[];
  complete: boolean;
}

/** Every setting as it is on this replica. */
export function settingAnswers(live: LiveSettings, overrides: Overrides): SettingAnswer[] {
  return settingKeys.map((key) => {
    const { effect, scope, secret = false } = definitionOf(key);
    const [holds, ...hides] = live.said(key).map(({ source, value }) => ({
      source,
      value: secret ? null : value,
      has_value: !secret || value !== '',
    }));
    const override = holds!.source === 'override' ? overrides[key] : undefined;
    const restart_needed = !sameValue(live.wanted(key), live.values[key]);
    return {
      key,
      ...holds!,
      effect,
      scope,
      secret,
      restart_needed,
      running_value: secret ? null : live.values[key],
      version: override?.version ?? null,
      set_by: override?.by ?? null,
      set_at: override?.at ?? null,
      expires_at: override?.expires_at ?? null,
      hides,
    };
  });
}

const valueOf = (override: Override | null | undefined): SettingValue | null => override?.value ?? null;

export function changeAnswers(changes: ConfigVersion['changes']): ChangeAnswer[] {
  return keysOf(changes).map((key) => ({ key, from: valueOf(changes[key]!.from), to: valueOf(changes[key]!.to) }));
}

export function versionAnswer(stored: ConfigVersion): VersionAnswer {
  const { version, at, by, reason, expires_at, reverted_from, rolled_back_to, changes } = stored;
  return { version, at, by, reason, expires_at, reverted_from, rolled_back_to, changes: changeAnswers(changes) };
}

export function appliedAnswer(version: ConfigVersion, replicas: Acknowledgement[]): AppliedAnswer {
  const values = keysOf(version.overrides).map((key) => [key, version.overrides[key]!.value] as const);
  return {
    ...versionAnswer(version),
    overrides: Object.fromEntries(values),
    replicas,
    complete: replicas.every(({ applied_at }) => applied_at !== null),
  };
}

/** What these overrides do to the values that hold now. */
export function effectAnswers(live: LiveSettings, overrides: Overrides, keys: readonly SettingKey[]): EffectAnswer[] {
  const { settings } = live.preview(textsOfOverrides(overrides));
  return keys.map((key) => {
    const [from, to] = [live.wanted(key), settings[key]];
    return { key, from, to, takes_effect: sameValue(from, to) ? 'not' : definitionOf(key).effect };
  });
}
