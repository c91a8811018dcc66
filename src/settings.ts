import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseEnv } from 'node:util';
import { closest } from 'fastest-levenshtein';
import { allowedEntries, isAllowEntry } from './outbound/address-guard.js';
import { flag, integer, list, oneOf, redisUrl, text, type Definition } from './setting-definition.js';
import { otelDefinitions } from './tracing/otel-settings.js';

/** All settings, in the order in which `.env` and the docs show them. */
export const settingDefinitions = {
  HOST: text({
    change: 'env-only',
    default: '127.0.0.1',
    doc: 'Address to listen on. Anything but loopback needs a token from every caller; 0.0.0.0 means all addresses.',
    accepts: 'an IP address or a host name',
    pattern: /^[A-Za-z0-9.:_-]{1,255}$/,
  }),
  PORT: integer({
    change: 'env-only',
    default: '8000',
    min: 0,
    max: 65535,
    doc: 'HTTP port for REST, Socket.IO and the docs; 0 picks a free one.',
  }),
  GRPC_PORT: integer({ change: 'env-only', default: '50051', min: 0, max: 65535, doc: 'gRPC port, on the same HOST; 0 picks a free one.' }),
  GRPC_TLS_CERT_FILE: text({
    change: 'env-only',
    default: '',
    doc: 'Certificate chain (PEM) of the gRPC port; needs GRPC_TLS_KEY_FILE. Empty: no TLS.',
    accepts: 'empty, or a path',
    pattern: /^[^\0]{0,4096}$/,
  }),
  GRPC_TLS_KEY_FILE: text({
    change: 'env-only',
    default: '',
    doc: 'Private key (PEM) of GRPC_TLS_CERT_FILE.',
    accepts: 'empty, or a path',
    pattern: /^[^\0]{0,4096}$/,
  }),
  GRPC_TLS_CLIENT_CA_FILE: text({
    change: 'env-only',
    default: '',
    doc: 'Certificates (PEM) that sign those of clients; with it, gRPC clients need one (mutual TLS).',
    accepts: 'empty, or a path',
    pattern: /^[^\0]{0,4096}$/,
  }),
  DATA_DIR: text({
    change: 'env-only',
    default: './data',
    doc: 'Directory of the embedded database and of the generated admin token. Relative to the working directory.',
    accepts: 'a path',
    pattern: /^[^\0]{1,4096}$/,
  }),
  DATABASE_URL: text({
    change: 'env-only',
    default: '',
    doc: 'PostgreSQL 14 or newer (postgres://user:password@host:5432/name). Empty: the embedded PostgreSQL in DATA_DIR.',
    accepts: 'empty, or a postgres:// or postgresql:// URL',
    pattern: /^$|^postgres(ql)?:\/\/\S+$/,
    secret: true,
  }),
  DATABASE_POOL_SIZE: integer({
    change: 'env-only',
    default: '10',
    min: 2,
    max: 200,
    doc: 'Connections for requests; the engine and the listeners use a handful more.',
  }),
  REDIS_URL: redisUrl({
    change: 'env-only',
    default: '',
    doc: 'Redis 6 or newer between replicas (redis://user:password@host:6379; also rediss://, Cluster, Sentinel). Empty: PostgreSQL alone.',
    secret: true,
  }),
  ADMIN_TOKEN: text({
    change: 'env-only',
    default: '',
    doc: 'The root token. Empty: read from ADMIN_TOKEN_FILE, or else generated at first start into DATA_DIR/admin-token.',
    accepts: 'empty, or 16 to 512 printable characters without spaces',
    pattern: /^$|^[\x21-\x7e]{16,512}$/,
    secret: true,
  }),
  ADMIN_TOKEN_FILE: text({
    change: 'env-only',
    default: '',
    doc: 'A file that holds the root token (a mounted secret, for instance).',
    accepts: 'empty, or a path',
    pattern: /^[^\0]{0,4096}$/,
  }),
  AUTH_ANONYMOUS_ROLE: oneOf({
    change: 'env-only',
    default: '',
    values: ['', 'none', 'viewer', 'operator'],
    doc: 'Role of callers without a token. Empty: operator while HOST is loopback, none otherwise.',
  }),
  CORS_ORIGINS: list({
    change: 'live',
    default: '',
    doc: 'Browser origins that may call from other sites, comma-separated (https://app.example.com). Empty: same origin only.',
    accepts: 'origins such as https://app.example.com, separated by commas',
    item: /^https?:\/\/[A-Za-z0-9.:[\]_-]+$/,
  }),
  LOG_LEVEL: oneOf({
    change: 'live',
    default: 'info',
    values: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    doc: 'Least severe level that is logged.',
  }),
  LOG_REQUESTS: oneOf({
    change: 'live',
    default: 'errors',
    values: ['errors', 'all', 'none'],
    doc: 'Which answered requests are a line of the log: errors of the server (warn), or all (info). The others are lines of the level debug.',
  }),
  TASKS_DEFAULT_TYPE: text({
    change: 'live',
    default: 'echo',
    doc: 'Type of a task created without one.',
    accepts: 'the name of a task type',
    pattern: /^[a-z][a-z0-9_.-]{0,99}$/,
  }),
  RUNNER_SLOTS: integer({
    change: 'live',
    default: '16',
    min: 0,
    max: 1000,
    doc: 'Attempts this server runs at the same time; 0 runs none (an API-only replica).',
  }),
  ENGINE_LEASE_SECONDS: integer({
    default: '30',
    min: 2,
    max: 3600,
    doc: 'Seconds a worker may be silent before its tasks are rescued; leases are renewed every third of it.',
  }),
  ENGINE_CANCEL_GRACE_SECONDS: integer({
    default: '10',
    min: 1,
    max: 3600,
    doc: 'Seconds a running attempt has to stop after a cancel before its lease is revoked.',
  }),
  ENGINE_MAX_RESCUES: integer({
    change: 'live',
    default: '5',
    min: 0,
    max: 100,
    doc: 'Lost leases a task survives before it fails as LEASE_LOST.',
  }),
  ENGINE_SHUTDOWN_SECONDS: integer({
    change: 'live',
    default: '10',
    min: 0,
    max: 3600,
    doc: 'Seconds running attempts may still take at shutdown before they are handed back to their queue.',
  }),
  TASKS_RETENTION_DAYS: integer({
    change: 'live',
    default: '30',
    min: 0,
    max: 3650,
    doc: 'Days after its end that a task is kept, with its attempts and logs; 0 keeps it for ever.',
  }),
  EVENTS_RETENTION_DAYS: integer({
    change: 'live',
    default: '7',
    min: 1,
    max: 3650,
    doc: 'Days the event log is kept, and so how far back a client can resume.',
  }),
  IDEMPOTENCY_RETENTION_HOURS: integer({
    change: 'live',
    default: '24',
    min: 1,
    max: 8760,
    doc: 'Hours an Idempotency-Key is remembered.',
  }),
  METRICS_ENABLED: oneOf({
    default: 'true',
    values: ['true', 'false'],
    doc: 'false: nothing is sampled, timed or kept; /metrics still answers how many tasks there are.',
  }),
  METRICS_INTERVAL_SECONDS: integer({
    change: 'live',
    default: '5',
    min: 1,
    max: 60,
    doc: 'Seconds between two looks at the cluster, and so between two updates of /metrics/realtime; an idle one is looked at every ten.',
  }),
  METRICS_SAMPLES_HOURS: integer({
    change: 'live',
    default: '6',
    min: 1,
    max: 720,
    doc: 'Hours that metrics are kept as sampled, every ten seconds.',
  }),
  METRICS_MINUTES_DAYS: integer({ change: 'live', default: '7', min: 1, max: 365, doc: 'Days that metrics are kept by the minute.' }),
  METRICS_HOURS_DAYS: integer({ change: 'live', default: '400', min: 1, max: 3650, doc: 'Days that metrics are kept by the hour.' }),
  ALERTS_RETENTION_DAYS: integer({
    change: 'live',
    default: '90',
    min: 1,
    max: 3650,
    doc: 'Days after its end that an alert is kept, with its history.',
  }),
  ALERTS_SILENCE_MAX_DAYS: integer({ change: 'live', default: '30', min: 1, max: 3650, doc: 'Days that a silence of alerts may last.' }),
  ALERTS_SILENCE_WARN_MINUTES: integer({
    change: 'live',
    default: '15',
    min: 0,
    max: 1440,
    doc: 'Minutes before the end of a silence that still mutes alerts to warn of it (SilenceExpiring); 0: never.',
  }),
  ALERTS_FLAPPING_COUNT: integer({
    change: 'live',
    default: '5',
    min: 0,
    max: 100,
    doc: 'Beginnings of the same alert within ALERTS_FLAPPING_MINUTES after which nothing more is told of it until it is steady; 0: never.',
  }),
  ALERTS_FLAPPING_MINUTES: integer({ change: 'live', default: '30', min: 1, max: 1440, doc: 'Minutes of ALERTS_FLAPPING_COUNT.' }),
  ALERTS_WATCHDOG_CHANNEL: text({
    default: '',
    doc: 'Alert channel that is sent a heartbeat, so that something outside notices when alerting itself is dead. Empty: none.',
    accepts: 'empty, or the name of a channel',
    pattern: /^$|^[a-z0-9][a-z0-9_.:-]{0,99}$/,
  }),
  ALERTS_WATCHDOG_SECONDS: integer({
    default: '60',
    min: 5,
    max: 86_400,
    doc: 'Seconds between two heartbeats to ALERTS_WATCHDOG_CHANNEL.',
  }),
  HTTP_ALLOW_HOSTS: list({
    change: 'live',
    default: '',
    doc: 'Hosts that http.request tasks and alert channels may reach although their address is private: names, addresses or CIDR ranges, comma-separated.',
    accepts: `entries separated by commas, each ${allowedEntries}`,
    item: /^[A-Za-z0-9.:_*/[\]-]+$/,
    isItem: isAllowEntry,
  }),
  MAINTENANCE_MODE: flag({
    change: 'live',
    default: 'false',
    doc: 'true: writes are refused with 503, and queued tasks are not begun; reads, probes and running attempts go on, and /config takes changes.',
  }),
  ...otelDefinitions,
} satisfies Record<string, Definition<unknown>>;

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
  /^(ARKITECT|METRICS|ALERTS|GRPC_PORT|GRPC_TLS|TASKS|RUNNER|ENGINE|EVENTS|AUTH|IDEMPOTENCY|DATABASE_POOL|ADMIN_TOKEN|MAINTENANCE)_?/;

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
