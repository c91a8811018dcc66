import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseEnv } from 'node:util';
import { closest } from 'fastest-levenshtein';
import { integer, list, oneOf, redisUrl, text, type Definition } from './setting-definition.js';
import { otelDefinitions } from './tracing/otel-settings.js';

/** All start values, in the order in which `.env` and the docs show them. */
export const settingDefinitions = {
  HOST: text({
    default: '127.0.0.1',
    doc: 'Address to listen on. Anything but loopback needs a token from every caller; 0.0.0.0 means all addresses.',
    accepts: 'an IP address or a host name',
    pattern: /^[A-Za-z0-9.:_-]{1,255}$/,
  }),
  PORT: integer({ default: '8000', min: 0, max: 65535, doc: 'HTTP port for REST, Socket.IO and the docs; 0 picks a free one.' }),
  GRPC_PORT: integer({ default: '50051', min: 0, max: 65535, doc: 'gRPC port, on the same HOST; 0 picks a free one.' }),
  GRPC_TLS_CERT_FILE: text({
    default: '',
    doc: 'Certificate chain (PEM) of the gRPC port; needs GRPC_TLS_KEY_FILE. Empty: no TLS.',
    accepts: 'empty, or a path',
    pattern: /^[^\0]{0,4096}$/,
  }),
  GRPC_TLS_KEY_FILE: text({
    default: '',
    doc: 'Private key (PEM) of GRPC_TLS_CERT_FILE.',
    accepts: 'empty, or a path',
    pattern: /^[^\0]{0,4096}$/,
  }),
  GRPC_TLS_CLIENT_CA_FILE: text({
    default: '',
    doc: 'Certificates (PEM) that sign those of clients; with it, gRPC clients need one (mutual TLS).',
    accepts: 'empty, or a path',
    pattern: /^[^\0]{0,4096}$/,
  }),
  DATA_DIR: text({
    default: './data',
    doc: 'Directory of the embedded database and of the generated admin token. Relative to the working directory.',
    accepts: 'a path',
    pattern: /^[^\0]{1,4096}$/,
  }),
  DATABASE_URL: text({
    default: '',
    doc: 'PostgreSQL 14 or newer (postgres://user:password@host:5432/name). Empty: the embedded PostgreSQL in DATA_DIR.',
    accepts: 'empty, or a postgres:// or postgresql:// URL',
    pattern: /^$|^postgres(ql)?:\/\/\S+$/,
    secret: true,
  }),
  DATABASE_POOL_SIZE: integer({
    default: '10',
    min: 2,
    max: 200,
    doc: 'Connections for requests; the engine and the listeners use a handful more.',
  }),
  REDIS_URL: redisUrl({
    default: '',
    doc: 'Redis 6 or newer between replicas (redis://user:password@host:6379; also rediss://, Cluster, Sentinel). Empty: PostgreSQL alone.',
    secret: true,
  }),
  ADMIN_TOKEN: text({
    default: '',
    doc: 'The root token. Empty: read from ADMIN_TOKEN_FILE, or else generated at first start into DATA_DIR/admin-token.',
    accepts: 'empty, or 16 to 512 printable characters without spaces',
    pattern: /^$|^[\x21-\x7e]{16,512}$/,
    secret: true,
  }),
  ADMIN_TOKEN_FILE: text({
    default: '',
    doc: 'A file that holds the root token (a mounted secret, for instance).',
    accepts: 'empty, or a path',
    pattern: /^[^\0]{0,4096}$/,
  }),
  AUTH_ANONYMOUS_ROLE: oneOf({
    default: '',
    values: ['', 'none', 'viewer', 'operator'],
    doc: 'Role of callers without a token. Empty: operator while HOST is loopback, none otherwise.',
  }),
  CORS_ORIGINS: list({
    default: '',
    doc: 'Browser origins that may call from other sites, comma-separated (https://app.example.com). Empty: same origin only.',
    accepts: 'origins such as https://app.example.com, separated by commas',
    item: /^https?:\/\/[A-Za-z0-9.:[\]_-]+$/,
  }),
  LOG_LEVEL: oneOf({
    default: 'info',
    values: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    doc: 'Least severe level that is logged.',
  }),
  LOG_REQUESTS: oneOf({
    default: 'errors',
    values: ['errors', 'all', 'none'],
    doc: 'Which answered requests are a line of the log: errors of the server (warn), or all (info). The others are lines of the level debug.',
  }),
  TASKS_DEFAULT_TYPE: text({
    default: 'echo',
    doc: 'Type of a task created without one.',
    accepts: 'the name of a task type',
    pattern: /^[a-z][a-z0-9_.-]{0,99}$/,
  }),
  RUNNER_SLOTS: integer({
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
  ENGINE_MAX_RESCUES: integer({ default: '5', min: 0, max: 100, doc: 'Lost leases a task survives before it fails as LEASE_LOST.' }),
  ENGINE_SHUTDOWN_SECONDS: integer({
    default: '10',
    min: 0,
    max: 3600,
    doc: 'Seconds running attempts may still take at shutdown before they are handed back to their queue.',
  }),
  TASKS_RETENTION_DAYS: integer({
    default: '30',
    min: 0,
    max: 3650,
    doc: 'Days after its end that a task is kept, with its attempts and logs; 0 keeps it for ever.',
  }),
  EVENTS_RETENTION_DAYS: integer({
    default: '7',
    min: 1,
    max: 3650,
    doc: 'Days the event log is kept, and so how far back a client can resume.',
  }),
  IDEMPOTENCY_RETENTION_HOURS: integer({ default: '24', min: 1, max: 8760, doc: 'Hours an Idempotency-Key is remembered.' }),
  METRICS_ENABLED: oneOf({
    default: 'true',
    values: ['true', 'false'],
    doc: 'false: nothing is sampled, timed or kept; /metrics still answers how many tasks there are.',
  }),
  METRICS_INTERVAL_SECONDS: integer({
    default: '5',
    min: 1,
    max: 60,
    doc: 'Seconds between two looks at the cluster, and so between two updates of /metrics/realtime; an idle one is looked at every ten.',
  }),
  METRICS_SAMPLES_HOURS: integer({ default: '6', min: 1, max: 720, doc: 'Hours that metrics are kept as sampled, every ten seconds.' }),
  METRICS_MINUTES_DAYS: integer({ default: '7', min: 1, max: 365, doc: 'Days that metrics are kept by the minute.' }),
  METRICS_HOURS_DAYS: integer({ default: '400', min: 1, max: 3650, doc: 'Days that metrics are kept by the hour.' }),
  ALERTS_RETENTION_DAYS: integer({
    default: '90',
    min: 1,
    max: 3650,
    doc: 'Days after its end that an alert is kept, with its history.',
  }),
  ALERTS_SILENCE_MAX_DAYS: integer({ default: '30', min: 1, max: 3650, doc: 'Days that a silence of alerts may last.' }),
  ALERTS_SILENCE_WARN_MINUTES: integer({
    default: '15',
    min: 0,
    max: 1440,
    doc: 'Minutes before the end of a silence that still mutes alerts to warn of it (SilenceExpiring); 0: never.',
  }),
  ALERTS_FLAPPING_COUNT: integer({
    default: '5',
    min: 0,
    max: 100,
    doc: 'Beginnings of the same alert within ALERTS_FLAPPING_MINUTES after which nothing more is told of it until it is steady; 0: never.',
  }),
  ALERTS_FLAPPING_MINUTES: integer({ default: '30', min: 1, max: 1440, doc: 'Minutes of ALERTS_FLAPPING_COUNT.' }),
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
    default: '',
    doc: 'Hosts that http.request tasks and alert channels may reach although their address is private: names, addresses or CIDR ranges, comma-separated.',
    accepts: 'host names, IP addresses or CIDR ranges, separated by commas',
    item: /^[A-Za-z0-9.:_*/[\]-]+$/,
  }),
  ...otelDefinitions,
} satisfies Record<string, Definition<unknown>>;

type Definitions = typeof settingDefinitions;
export type SettingKey = keyof Definitions;

/** Start values of one process, by their environment names. Frozen; read once by `loadSettings`. */
export type Settings = { readonly [K in SettingKey]: NonNullable<ReturnType<Definitions[K]['parse']>> };

/** Injection token of `Settings` (a type has no value of its own at run time). */
export const SETTINGS = Symbol('Settings');

export class SettingsError extends Error {}

/** Environment names with these prefixes are ours: an unknown one is a likely typing mistake. */
const ownPrefixes = /^(ARKITECT|METRICS|ALERTS|GRPC_PORT|GRPC_TLS|TASKS|RUNNER|ENGINE|EVENTS|AUTH|IDEMPOTENCY|DATABASE_POOL|ADMIN_TOKEN)_?/;

/**
 * Settings from defaults, then the `.env` file, then the environment (later wins).
 * An empty value means "not set". Throws `SettingsError` naming every bad key, what it got and what it accepts.
 */
export function loadSettings(environment: NodeJS.ProcessEnv, envFile = '.env'): { settings: Settings; warnings: string[] } {
  const fromFile = existsSync(envFile) ? parseEnv(readFileSync(envFile, 'utf8')) : {};
  const given: NodeJS.ProcessEnv = { ...fromFile, ...environment };
  const problems: string[] = [];
  const entries = Object.entries(settingDefinitions).map(([key, definition]: [string, Definition<unknown>]) => {
    const raw = given[key]?.trim() || definition.default;
    const value = definition.parse(raw);
    if (value === undefined) {
      problems.push(`${key} is ${definition.secret ? 'not valid' : JSON.stringify(raw)}, but must be ${definition.accepts}.`);
    }
    return [key, value];
  });
  problems.push(...contradictions(Object.fromEntries(entries) as Settings));
  if (problems.length) {
    throw new SettingsError(`${problems.join('\n')}\nSettings come from the environment and from .env; correct them and start again.`);
  }
  return { settings: Object.freeze(Object.fromEntries(entries)) as Settings, warnings: unknownKeys(fromFile, environment) };
}

/** What is wrong with values that are right each by itself. */
function contradictions({ GRPC_TLS_CERT_FILE, GRPC_TLS_KEY_FILE, GRPC_TLS_CLIENT_CA_FILE }: Settings): string[] {
  if (Boolean(GRPC_TLS_CERT_FILE) !== Boolean(GRPC_TLS_KEY_FILE)) {
    return ['GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE belong together; set both, or neither.'];
  }
  return GRPC_TLS_CLIENT_CA_FILE && !GRPC_TLS_CERT_FILE ? ['GRPC_TLS_CLIENT_CA_FILE needs GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE.'] : [];
}

function unknownKeys(fromFile: object, environment: NodeJS.ProcessEnv): string[] {
  const known = Object.keys(settingDefinitions);
  const candidates = new Set([...Object.keys(fromFile), ...Object.keys(environment).filter((key) => ownPrefixes.test(key))]);
  return [...candidates]
    .filter((key) => !known.includes(key))
    .map((key) => `${key} is not a setting and has no effect; the nearest known name is ${closest(key, known)}.`);
}

/** Whether only this machine can reach the server, which decides what anonymous callers may do. */
export function listensOnLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
