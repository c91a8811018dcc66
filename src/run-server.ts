import 'reflect-metadata';
import { resolve } from 'node:path';
import { startServer, type Server } from './app.js';
import { ADMIN_TOKEN, type AdminToken } from './auth/admin-token.js';
import { banner } from './banner.js';
import { EmbeddedPostgresError } from './database/embedded/embedded-postgres-error.js';
import { MigrationError } from './database/migrate.js';
import { createLogger } from './logger.js';
import { loadSettings, SettingsError } from './settings.js';

/** The process: settings, server, signals. Ends with code 0 after a graceful stop, 1 after anything that went wrong. */
export async function runServer(): Promise<void> {
  // Whoever read what we print may be gone; that must not keep us from stopping in order.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  try {
    const { settings, sources, warnings } = loadSettings(process.env);
    const logger = createLogger(settings);
    for (const warning of warnings) logger.warn(warning);
    // A signal during the start is honoured when the start is over.
    const signals = watchStopSignals();
    const server = await startServer(settings, logger, { sources, envFile: resolve('.env') });
    const token = server.app.get<AdminToken>(ADMIN_TOKEN);
    if (token.warning) logger.warn(token.warning);
    process.stdout.write(banner(server, settings, token));
    void server.kernel.failed.then((reason) => {
      logger.fatal(reason);
      process.exitCode = 1;
      void stop(server, signals.again);
    });
    await signals.first;
    await stop(server, signals.again);
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exit(1);
  }
}

async function stop(server: Server, again: AbortSignal): Promise<void> {
  process.stdout.write('Stopping: running attempts may finish; once more to stop at once.\n');
  await server.close(again);
  process.exit();
}

/** Process managers and terminals may send the same wish several times at once; only a later one is a second wish. */
const sameWishMs = 1_000;

/** `first` resolves with the wish to stop; `again` fires when somebody insists, which cuts the wait for running attempts short. */
function watchStopSignals(): { first: Promise<void>; again: AbortSignal } {
  const { promise: first, resolve: askedToStop } = Promise.withResolvers<void>();
  const again = new AbortController();
  let askedAt: number | undefined;
  const onSignal = () => {
    if (askedAt === undefined) askedToStop();
    else if (performance.now() - askedAt > sameWishMs) again.abort();
    askedAt ??= performance.now();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // `npm start` holds a channel to its server; when it dies, the server must not stay behind unnoticed.
  if (process.channel) process.once('disconnect', onSignal);
  return { first, again: again.signal };
}

/** A failure that we foresaw is a sentence; anything else comes with its stack. */
function explain(error: unknown): string {
  if (error instanceof SettingsError || error instanceof EmbeddedPostgresError || error instanceof MigrationError) return error.message;
  const { code, port, address } = error as { code?: string; port?: number; address?: string };
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${address} is taken. Stop what uses it, or set PORT to another one (PORT=8001 npm start).`;
  if (code === 'EADDRNOTAVAIL')
    return `HOST ${address} is not an address of this machine. Set HOST to 127.0.0.1, 0.0.0.0, or one that it has.`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
