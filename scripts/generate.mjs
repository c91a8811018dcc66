// npm run generate [-- --check]: writes the files that are generated from the code, or says which of them are stale.
import { spawnSync } from 'node:child_process';
import { ensureBuilt, ensureInstalled, localNode, root, runScript } from './setup.mjs';

await runScript(() => {
  ensureInstalled();
  ensureBuilt();
  const { status } = spawnSync(localNode(), ['dist/generate/main.js', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
});
