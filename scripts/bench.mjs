// npm run bench [-- suites and options]: installs what is missing, compiles the product, then runs bench/main.mjs.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, localNode, root, runScript, SetupError } from './setup.mjs';

const bench = join(root, 'bench');

await runScript(() => {
  ensureInstalled();
  ensureBuilt();
  ensurePeersInstalled();
  const run = spawn(localNode(), [join(bench, 'main.mjs'), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal's Ctrl-C reaches it by itself; either way it cleans up and we wait for that.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => run.kill(signal));
  run.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
});

/** npm writes node_modules/.package-lock.json last: one that is older than package-lock.json is of an earlier installation. */
function ensurePeersInstalled() {
  const mark = join(bench, 'node_modules', '.package-lock.json');
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(bench, 'package-lock.json')).mtimeMs) return;
  console.log('Installing what is compared…');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: bench, stdio: 'inherit' });
  if (status !== 0) throw new SetupError('The dependencies of bench/ could not be installed; npm says why above.');
}
