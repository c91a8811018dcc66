// Runs a harness of test/: TypeScript that Node takes as it is.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import module from 'node:module';
import { ensureBuilt, ensureInstalled, localNode, root, runScript } from './setup.mjs';

/** `load` imports a module whose `main(root, arguments)` resolves with the exit code. Never returns. */
export async function runHarness(load) {
  await runScript(async () => {
    ensureInstalled();
    // An older Node around npm hands over.
    if (!module.registerHooks) return handOver();
    ensureBuilt();
    module.registerHooks({ resolve: toSource });
    const { main } = await load();
    process.exitCode = await main(root, process.argv.slice(2));
  });
  // Sockets and timers of an ended run may still be there.
  process.exit();
}

async function handOver() {
  const child = spawn(localNode(), process.argv.slice(1), { stdio: 'inherit' });
  // It has servers to stop and a disk to give back.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, 'exit');
  process.exitCode = code ?? 1;
}

/** Sources import each other as what they are compiled to. */
function toSource(specifier, context, next) {
  const isSource = specifier.startsWith('.') && context.parentURL?.includes('/test/');
  return next(isSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}
