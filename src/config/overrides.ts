import type { SettingKey, SettingTexts } from '../settings.js';
import { textOf, type SettingValue } from '../live-settings.js';

/** A value that was set at run time. */
export interface Override {
  value: SettingValue;
  /** The version that set it, by whom and when. */
  version: number;
  by: string;
  at: string;
  /** When it ends by itself. */
  expires_at: string | null;
}

export type Overrides = Readonly<Partial<Record<SettingKey, Override>>>;

/** What a version has changed; null: no override. */
export type Changes = Readonly<Partial<Record<SettingKey, { from: Override | null; to: Override | null }>>>;

export interface ConfigVersion {
  version: number;
  changes: Changes;
  overrides: Overrides;
  reason: string | null;
  by: string;
  at: string;
  expires_at: string | null;
  /** The time-boxed version that this one has taken back. */
  reverted_from: number | null;
  rolled_back_to: number | null;
}

/** Before anybody has changed anything. */
export const firstConfig = { version: 0, overrides: {} as Overrides };

export type FindVersion = (version: number) => Promise<ConfigVersion | undefined>;

export function keysOf(map: Overrides | Changes): SettingKey[] {
  return Object.keys(map) as SettingKey[];
}

export function textsOfOverrides(overrides: Overrides): SettingTexts {
  return Object.fromEntries(Object.entries(overrides).map(([key, { value }]) => [key, textOf(value)]));
}

/** `overrides` with other values for some keys; null takes one away. */
export function withChanges(overrides: Overrides, changed: ReadonlyMap<SettingKey, Override | null>): Overrides {
  const entries = [...Object.entries(overrides).filter(([key]) => !changed.has(key as SettingKey)), ...changed];
  return Object.fromEntries(entries.filter(([, override]) => override !== null));
}

/** What differs, to be kept with the version. */
export function changesBetween(before: Overrides, after: Overrides): Changes {
  const keys = [...new Set([...keysOf(before), ...keysOf(after)])].sort();
  const differs = (key: SettingKey) => JSON.stringify(before[key]) !== JSON.stringify(after[key]);
  return Object.fromEntries(keys.filter(differs).map((key) => [key, { from: before[key] ?? null, to: after[key] ?? null }]));
}

/** What holds for `key` once every override that `isOver` says is over has ended, beginning with `override`. */
export async function holdsAfter(
  key: SettingKey,
  override: Override | null,
  isOver: (override: Override) => boolean,
  find: FindVersion,
): Promise<Override | null> {
  let holding = override;
  // Each was set by an earlier version than the one before it.
  while (holding && isOver(holding)) holding = (await find(holding.version))?.changes[key]?.from ?? null;
  return holding;
}

/** `overrides` once all that is over has ended. */
export async function endedOverrides(overrides: Overrides, isOver: (override: Override) => boolean, find: FindVersion): Promise<Overrides> {
  const ended = new Map<SettingKey, Override | null>();
  for (const key of keysOf(overrides)) {
    const override = overrides[key]!;
    if (isOver(override)) ended.set(key, await holdsAfter(key, override, isOver, find));
  }
  return withChanges(overrides, ended);
}

/** Whether its time is up at `now`. */
export function isOverAt(now: number): (override: Override) => boolean {
  return ({ expires_at }) => expires_at !== null && Date.parse(expires_at) <= now;
}
