// npm run check: everything but the tests that must hold before a change lands. Runs all of it, whatever fails.
import { spawnSync } from 'node:child_process';
import { ensureInstalled, localNode, root, runScript } from './setup.mjs';

const checks = [
  ['format', 'npm run fmt', ['node_modules/oxfmt/bin/oxfmt', '--check']],
  ['lint', 'npm run lint', ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings']],
  ['types', 'npm run typecheck', ['node_modules/typescript7/bin/tsc', '-p', 'tsconfig.json', '--noEmit']],
  ['dependency rules', '.dependency-cruiser.cjs', ['node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', 'src', 'test']],
  ['dead code', 'knip.json', ['node_modules/knip/bin/knip.js', '--no-progress']],
  ['generated files', 'npm run generate', ['scripts/generate.mjs', '--check']],
  ['packages', 'package-lock.json', ['scripts/check-packages.mjs']],
];

await runScript(() => {
  ensureInstalled();
  const failed = checks.filter((check) => !passes(check));
  if (!failed.length) return;
  console.error(`\nNot in order: ${failed.map(([name, where]) => `${name} (${where})`).join(', ')}.`);
  process.exitCode = 1;
});

function passes([name, , args]) {
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(localNode(), args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(18)} ${seconds.padStart(5)} s`);
  if (status !== 0) console.log(`\n${stdout}${stderr}`);
  return status === 0;
}
