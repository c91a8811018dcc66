import {
  definitionOf,
  resolveSettings,
  settingKeys,
  textsOf,
  type SettingKey,
  type SettingProblem,
  type Settings,
  type SettingSources,
  type SettingTexts,
  type SourceName,
} from './settings.js';

/** A value as doors show it. */
export type SettingValue = string | number | boolean | readonly string[];

type Listener = { keys: readonly SettingKey[]; listener: () => void };

/**
 * The settings of this replica while it runs: what each source says, what holds, and who wants to know of changes.
 * `values` is what the rest of the server reads; a `live` setting changes under it, any other stays as it was at the start.
 */
export class LiveSettings {
  readonly values: Settings;
  private readonly started: Settings;
  private readonly listeners = new Set<Listener>();
  private sources: SettingSources;
  private current: Settings;
  /** Keys of overrides that this replica cannot take, together with its own environment. */
  refused: SettingKey[] = [];

  /** `sources` without overrides must be valid; of the overrides, what is not is left out. */
  constructor(sources: SettingSources) {
    this.sources = { ...sources, overrides: {} };
    this.sources = { ...sources, overrides: this.acceptable(sources.overrides) };
    this.started = this.current = resolveSettings(this.sources).settings;
    const properties = settingKeys.map((key) => [
      key,
      { enumerable: true, get: () => (definitionOf(key).effect === 'live' ? this.current[key] : this.started[key]) },
    ]);
    this.values = Object.freeze(Object.defineProperties({}, Object.fromEntries(properties) as PropertyDescriptorMap)) as Settings;
  }

  /** The overrides that hold from now on. */
  override(overrides: SettingTexts): void {
    this.apply({ ...this.sources, overrides: this.acceptable(overrides) });
  }

  /** What `.env` says from now on. Nothing changes when it answers problems. */
  replaceFile(file: SettingTexts): SettingProblem[] {
    const sources = { ...this.sources, file };
    // An override may hide what is wrong, until somebody takes it away.
    const alone = resolveSettings({ ...sources, overrides: {} }).problems;
    const problems = alone.length > 0 ? alone : resolveSettings(sources).problems;
    if (problems.length === 0) this.apply(sources);
    return problems;
  }

  /** What would hold with these overrides, and what would be wrong. */
  preview(overrides: SettingTexts): { settings: Settings; problems: SettingProblem[] } {
    return resolveSettings({ ...this.sources, overrides });
  }

  /** What the sources want to hold; settings that are not live may hold another value until the next start. */
  wanted(key: SettingKey): SettingValue {
    return this.current[key];
  }

  /** What each source says of it, parsed, the one that holds first. */
  said(key: SettingKey): { source: SourceName; value: SettingValue }[] {
    return textsOf(key, this.sources).map(({ source, text }) => ({ source, value: definitionOf(key).parse(text) as SettingValue }));
  }

  /** Keys whose values wait for the next start of this replica. */
  get waiting(): SettingKey[] {
    return settingKeys.filter((key) => !sameValue(this.current[key], this.values[key]));
  }

  /** Calls `listener` after one of `keys` has changed. */
  onChange(keys: readonly SettingKey[], listener: () => void): () => void {
    const entry = { keys, listener };
    this.listeners.add(entry);
    return () => this.listeners.delete(entry);
  }

  private apply(sources: SettingSources): void {
    const before = this.current;
    this.sources = sources;
    this.current = resolveSettings(sources).settings;
    const changed = settingKeys.filter((key) => definitionOf(key).effect === 'live' && !sameValue(before[key], this.current[key]));
    for (const { keys, listener } of this.listeners) if (keys.some((key) => changed.includes(key))) listener();
  }

  /** Another version may have stored what this one does not take: the rest of it holds. */
  private acceptable(overrides: SettingTexts): SettingTexts {
    let accepted = overrides;
    this.refused = [];
    for (;;) {
      const { problems } = this.preview(accepted);
      const bad = problems.flatMap(({ keys }) => keys).filter((key) => accepted[key] !== undefined);
      if (bad.length === 0) return accepted;
      this.refused.push(...bad);
      accepted = Object.fromEntries(Object.entries(accepted).filter(([key]) => !(bad as string[]).includes(key)));
    }
  }
}

export function sameValue(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** As `.env` would hold it. */
export function textOf(value: SettingValue): string {
  return Array.isArray(value) ? value.join(',') : String(value);
}

/** The sources of settings that came from somewhere else: what is not a default counts as environment. */
export function sourcesOf(settings: Settings): SettingSources {
  const given = settingKeys.map((key) => [key, textOf(settings[key])] as const).filter(([key, text]) => text !== definitionOf(key).default);
  return { file: {}, environment: Object.fromEntries(given), overrides: {} };
}
