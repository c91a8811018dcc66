// npm test [-- arguments of vitest]: installs what is missing, then runs the tests.
import { spawnSync } from 'node:child_process';
import { ensureInstalled, localNode, root, runScript } from './setup.mjs';

await runScript(() => {
  ensureInstalled();
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)];
  const { status } = spawnSync(localNode(), args, { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
});
