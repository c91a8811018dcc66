import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseEnv } from 'node:util';
import { closest } from 'fastest-levenshtein';
import type { Definition } from './setting-definition.js';
import { settingDefinitions } from './setting-definitions.js';

type Definitions = typeof settingDefinitions;
export type SettingKey = keyof Definitions;
export const settingKeys = Object.keys(settingDefinitions) as SettingKey[];

/** The definition of a setting, whatever the type of its values. */
export function definitionOf(key: SettingKey): Definition<unknown> {
  return settingDefinitions[key];
}

/** The values of one process, by their environment names. Injected, it shows what holds now: read a `live` one when it is used. */
export type Settings = { readonly [K in SettingKey]: NonNullable<ReturnType<Definitions[K]['parse']>> };

/** Injection token of `Settings` (a type has no value of its own at run time). */
export const SETTINGS = Symbol('Settings');

export class SettingsError extends Error {}

/** Texts of settings by their keys, as one source has them. */
export type SettingTexts = Readonly<Record<string, string | undefined>>;

/** Where values come from; later ones win. */
export interface SettingSources {
  file: SettingTexts;
  environment: SettingTexts;
  /** Set at run time. Here alone an empty text is a value. */
  overrides: SettingTexts;
}

export type SourceName = 'default' | '.env' | 'environment' | 'override';

/** What each source says of a setting, the one that holds first; `default` always comes last. */
export function textsOf(key: SettingKey, { file, environment, overrides }: SettingSources): { source: SourceName; text: string }[] {
  const given = [
    { source: 'override' as const, text: overrides[key] },
    { source: 'environment' as const, text: environment[key]?.trim() || undefined },
    { source: '.env' as const, text: file[key]?.trim() || undefined },
    { source: 'default' as const, text: definitionOf(key).default },
  ];
  return given.flatMap(({ source, text }) => (text === undefined ? [] : [{ source, text }]));
}

/** Something that is wrong with the values; `message` completes "<key> …". */
export interface SettingProblem {
  keys: SettingKey[];
  message: string;
  /** What it is instead; absent when it must not be shown. */
  got?: string;
}

/** The values that hold by all sources together, and all that is wrong with them. */
export function resolveSettings(sources: SettingSources): { settings: Settings; problems: SettingProblem[] } {
  const problems: SettingProblem[] = [];
  const entries = settingKeys.map((key) => {
    const definition = definitionOf(key);
    const { text } = textsOf(key, sources)[0]!;
    const value = definition.parse(text);
    if (value === undefined)
      problems.push({ keys: [key], message: `must be ${definition.accepts}`, ...(!definition.secret && { got: text }) });
    return [key, value];
  });
  const settings = Object.freeze(Object.fromEntries(entries)) as Settings;
  if (problems.length === 0) problems.push(...contradictions(settings));
  return { settings, problems };
}

/** A sentence for people. */
export function describeProblem({ keys, message, got }: SettingProblem): string {
  if (keys.length > 1) return `${keys[0]} ${message}.`;
  return `${keys[0]} is ${got === undefined ? 'not valid' : JSON.stringify(got)}, but ${message}.`;
}

/** Its assignments; none when there is no such file. */
export function readEnvFile(path: string): SettingTexts {
  return existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {};
}

/** What a process starts with. */
export interface LoadedSettings {
  settings: Settings;
  sources: SettingSources;
  warnings: string[];
}

/**
 * Settings from defaults, then the `.env` file, then the environment (later wins).
 * An empty value means "not set". Throws `SettingsError` naming every bad key, what it got and what it accepts.
 */
export function loadSettings(environment: NodeJS.ProcessEnv, envFile = '.env'): LoadedSettings {
  const file = readEnvFile(envFile);
  const sources = { file, environment, overrides: {} };
  const { settings, problems } = resolveSettings(sources);
  if (problems.length) {
    const sentences = problems.map(describeProblem).join('\n');
    throw new SettingsError(`${sentences}\nSettings come from the environment and from .env; correct them and start again.`);
  }
  return { settings, sources, warnings: unknownKeys(file, environment) };
}

/** What is wrong with values that are right each by itself. */
function contradictions(settings: Settings): SettingProblem[] {
  const { GRPC_TLS_CERT_FILE, GRPC_TLS_KEY_FILE, GRPC_TLS_CLIENT_CA_FILE } = settings;
  const { METRICS_SAMPLES_HOURS, METRICS_MINUTES_DAYS, METRICS_HOURS_DAYS } = settings;
  const rules: [wrong: boolean, keys: SettingKey[], message: string][] = [
    [
      Boolean(GRPC_TLS_CERT_FILE) !== Boolean(GRPC_TLS_KEY_FILE),
      ['GRPC_TLS_CERT_FILE', 'GRPC_TLS_KEY_FILE'],
      'and GRPC_TLS_KEY_FILE belong together; set both, or neither',
    ],
    [
      Boolean(GRPC_TLS_CLIENT_CA_FILE && !GRPC_TLS_CERT_FILE),
      ['GRPC_TLS_CLIENT_CA_FILE', 'GRPC_TLS_CERT_FILE'],
      'needs GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE',
    ],
    [
      METRICS_SAMPLES_HOURS > METRICS_MINUTES_DAYS * 24,
      ['METRICS_SAMPLES_HOURS', 'METRICS_MINUTES_DAYS'],
      `must not be longer than METRICS_MINUTES_DAYS: at most ${METRICS_MINUTES_DAYS * 24} hours, or more days`,
    ],
    [
      METRICS_MINUTES_DAYS > METRICS_HOURS_DAYS,
      ['METRICS_MINUTES_DAYS', 'METRICS_HOURS_DAYS'],
      `must not be longer than METRICS_HOURS_DAYS: at most ${METRICS_HOURS_DAYS} days, or more of these`,
    ],
  ];
  return rules.flatMap(([wrong, keys, message]) => (wrong ? [{ keys, message }] : []));
}

/** Environment names with these prefixes are ours: an unknown one is a likely typing mistake. */
const ownPrefixes =
  /^(ARKITECT|METRICS|ALERTS|AUDIT|GRPC_PORT|GRPC_TLS|TASKS|RUNNER|ENGINE|EVENTS|AUTH|IDEMPOTENCY|DATABASE_POOL|ADMIN_TOKEN|MAINTENANCE|LOGS)_?/;

export function unknownKeys(fromFile: object, environment: object): string[] {
  const known: string[] = settingKeys;
  const candidates = new Set([...Object.keys(fromFile), ...Object.keys(environment).filter((key) => ownPrefixes.test(key))]);
  return [...candidates]
    .filter((key) => !known.includes(key))
    .map((key) => `${key} is not a setting and has no effect; the nearest known name is ${nearestSetting(key)}.`);
}

/** The key that somebody may have meant. */
export function nearestSetting(key: string): string {
  return closest(key, settingKeys);
}

/** Whether only this machine can reach the server, which decides what anonymous callers may do. */
export function listensOnLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
