import type { LoggerService } from '@nestjs/common';
import { pino, stdSerializers, symbols, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { PinoPretty } from 'pino-pretty';
import { logLevels } from './logging/log-line.js';
import { LogTap } from './logging/log-tap.js';
import { LineWriter } from './logging/line-writer.js';
import { Redactor } from './logging/redactor.js';
import { definitionOf, settingKeys, type Settings } from './settings.js';
import { logFields, requestContext } from './transport/request-context.js';

const secretSettings = settingKeys.filter((key) => definitionOf(key).secret);

/** A logger, with what else belongs to it. */
export interface ServerLogger extends Logger {
  /** Secrets that come up while the server runs are added here. */
  readonly redactor: Redactor;
  /** Its lines, for those who store them. */
  readonly tap: LogTap;
}

/**
 * The process's logger: JSON lines on stdout, or readable text when stdout is a terminal. Every line of a request carries
 * its `request_id`, and its `trace_id` when it has a trace; of an attempt it carries `task_id`, `attempt` and `trace_id`. Secrets are removed by key, and those of `settings` also wherever else they turn up in a line.
 */
export function createLogger(settings: Settings, stream: LineStream = defaultStream()): ServerLogger {
  const redactor = new Redactor(secretSettings);
  redactor.add(...secretsOf(settings));
  const tap = new LogTap();
  const options: LoggerOptions = {
    level: settings.LOG_LEVEL,
    base: undefined,
    timestamp: timeField,
    serializers: { err: plainError },
    mixin: () => {
      const context = requestContext();
      return context ? logFields(context) : {};
    },
  };
  return Object.assign(pino(options, new LineFilter(redactor, tap, stream)), { redactor, tap });
}

/** Where lines go. `urgent`: the process may be about to end. */
interface LineStream {
  write(line: string, urgent?: boolean): void;
}

/** Between pino and where lines go: secrets out, then one copy for the tap. */
class LineFilter implements DestinationStream {
  /** Asks pino to tell `lastLevel`. */
  readonly [symbols.needsMetadataGsym] = true;
  lastLevel: number = logLevels.info;

  constructor(
    private readonly redactor: Redactor,
    private readonly tap: LogTap,
    private readonly stream: LineStream,
  ) {}

  write(line: string): void {
    const level = this.lastLevel;
    const shown = this.redactor.line(line);
    this.stream.write(shown, level >= logLevels.error);
    this.tap.add(shown, level);
  }
}

let timeMs = 0;
let timeText = '';

/** RFC 3339. Many lines share a millisecond. */
function timeField(): string {
  const now = Date.now();
  if (now !== timeMs) {
    timeMs = now;
    timeText = `,"time":"${new Date(now).toISOString()}"`;
  }
  return timeText;
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

let stdout: LineStream | undefined;

function defaultStream(): LineStream {
  stdout ??= process.stdout.isTTY ? prettyStream() : new LineWriter(1);
  return stdout;
}

function prettyStream(): LineStream {
  const pretty = PinoPretty({ sync: true, ignore: 'context', messageFormat: '{if context}[{context}] {end}{msg}' });
  return { write: (line) => void pretty.write(line) };
}

/** The texts of secret settings, and what in them is a secret by itself. */
function secretsOf(settings: Settings): string[] {
  const texts = secretSettings.map((key) => String(settings[key]));
  // A REDIS_URL may be several, of which Sentinels share one password; headers are name=value pairs.
  const parts = texts.flatMap((text) => text.split(','));
  return [...texts, ...parts.flatMap(passwordOf), ...parts.flatMap(valueOf)].filter(Boolean);
}

/** As it is written and as it is meant. */
function passwordOf(url: string): string[] {
  const password = URL.canParse(url) ? new URL(url).password : '';
  return [password, decoded(password)];
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
