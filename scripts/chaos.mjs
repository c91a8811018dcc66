// npm run chaos [-- --minutes 10 --seed 42]: replicas under faults, and a check that nothing was lost (docs/reliability.md).
import { spawnSync } from 'node:child_process';
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { ensureBuilt, ensureInstalled, localNode, root, runScript } from './setup.mjs';

await runScript(async () => {
  // The harness is TypeScript that Node runs as it is; an older Node around npm hands over.
  if (!module.registerHooks) return handOver();
  ensureInstalled();
  ensureBuilt();
  module.registerHooks({ resolve: toSource });
  const { main } = await import('../test/chaos/main.ts');
  process.exitCode = await main(root, process.argv.slice(2));
});
// Sockets and timers of an ended run may still be there.
process.exit();

function handOver() {
  ensureInstalled();
  const { status } = spawnSync(localNode(), [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}

/** Sources import each other as what they are compiled to. */
function toSource(specifier, context, next) {
  const isSource = specifier.startsWith('.') && context.parentURL?.includes('/test/chaos/');
  return next(isSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}
