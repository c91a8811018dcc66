// A process of its own that owns an embedded PostgreSQL, for tests that kill it.
// argv: options of startEmbeddedPostgres as JSON. Prints one JSON line per thing that happens: log, started, refused.
import { registerHooks } from 'node:module';

// Sources import each other as .js, which TypeScript's compiler would make of them.
registerHooks({
  resolve(specifier, context, next) {
    const isSource = specifier.startsWith('.') && !context.parentURL?.includes('/node_modules/');
    return next(isSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
  },
});
const { startEmbeddedPostgres } = await import('../../src/database/embedded-postgres.ts');

const say = (message) => console.log(JSON.stringify(message));
// Ctrl-C in a terminal reaches the server too, which then takes its time to drain.
process.on('SIGINT', () => say({ interrupted: true }));

try {
  const { connection, processId, way } = await startEmbeddedPostgres({ ...JSON.parse(process.argv[2]), log: (log) => say({ log }) });
  say({ started: { connection, processId, way } });
  process.stdin.on('end', () => process.exit(0)).resume();
} catch (error) {
  say({ refused: error.message, name: error.name });
}
