import type { LoggerService } from '@nestjs/common';
import { destination, pino, stdSerializers, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { PinoPretty } from 'pino-pretty';
import { definitionOf, settingKeys, type Settings } from './settings.js';
import { logFields, requestContext } from './transport/request-context.js';

const secretSettings = settingKeys.filter((key) => definitionOf(key).secret);
const secretKeys = ['authorization', 'cookie', 'password', 'secret', 'token', ...secretSettings];

/**
 * The process's logger: JSON lines on stdout, or readable text when stdout is a terminal. Every line of a request carries
 * its `request_id`, and its `trace_id` when it has a trace; of an attempt it carries `task_id`, `attempt` and `trace_id`. Secrets are removed by key, and those of `settings` also wherever else they turn up in a line.
 */
export function createLogger(settings: Settings, stream: DestinationStream = defaultStream()): Logger {
  const secrets = secretsOf(settings);
  const options: LoggerOptions = {
    level: settings.LOG_LEVEL,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ['', '*.', '*.*.'].flatMap((prefix) => secretKeys.map((key) => `${prefix}${key}`)), censor: '[redacted]' },
    serializers: { err: plainError },
    mixin: () => {
      const context = requestContext();
      return context ? logFields(context) : {};
    },
    hooks: {
      streamWrite: (line) => secrets.reduce((text, secret) => text.replaceAll(JSON.stringify(secret).slice(1, -1), '[redacted]'), line),
    },
  };
  return pino(options, stream);
}

/** Lets Nest, and everything that uses Nest's `Logger`, write through pino. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  /** Nest passes the context as the last argument, and errors a stack before it. */
  private write(level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace', message: unknown, rest: unknown[]): void {
    const context = rest.at(-1);
    const fields = typeof context === 'string' ? { context } : {};
    const details = rest.slice(0, 'context' in fields ? -1 : undefined).filter((detail) => detail !== undefined);
    const extra = details.length > 0 ? { details } : {};
    if (message instanceof Error) this.logger[level]({ ...fields, ...extra, err: message }, message.message);
    else if (typeof message === 'string') this.logger[level]({ ...fields, ...extra }, message);
    else this.logger[level]({ ...fields, ...extra, data: message });
  }
}

function defaultStream(): DestinationStream {
  if (!process.stdout.isTTY) return destination({ sync: true });
  return PinoPretty({ sync: true, ignore: 'context', messageFormat: '{if context}[{context}] {end}{msg}' });
}

/** The texts of secret settings, and what in them is a secret by itself. */
function secretsOf(settings: Settings): string[] {
  const texts = secretSettings.map((key) => String(settings[key]));
  // A REDIS_URL may be several, of which Sentinels share one password; headers are name=value pairs.
  const parts = texts.flatMap((text) => text.split(','));
  return [...texts, ...parts.map(passwordOf), ...parts.flatMap(valueOf)].filter(Boolean);
}

function passwordOf(url: string): string {
  return URL.canParse(url) ? new URL(url).password : '';
}

/** What all errors say. Those of drivers also hold rows and values that somebody has sent (`detail`, `where`, `parameters`). */
function plainError(error: Error): object {
  const { type, message, stack, code } = stdSerializers.err(error) as ReturnType<typeof stdSerializers.err> & { code?: unknown };
  return { type, message, stack, code };
}

/** A shorter one is the name of a tenant, say, and would be found in every second line. */
const shortestSecret = 8;

/** Of `name=value`, as it is written and as it is meant. */
function valueOf(pair: string): string[] {
  const value = pair.slice(pair.indexOf('=') + 1).trim();
  return value.length < shortestSecret ? [] : [value, decoded(value)];
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
