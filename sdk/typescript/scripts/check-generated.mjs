// npm run generate:check: fails when src/generated is not what the contract makes of it today.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const fresh = mkdtempSync(join(tmpdir(), 'arkitect-generated-'));
try {
  const { status } = spawnSync('npx', ['--no-install', 'buf', 'generate', '--output', fresh], { stdio: 'inherit' });
  if (status !== 0) throw new Error('The code could not be generated; buf says why above.');
  const wanted = filesOf(join(fresh, 'src/generated'));
  const present = filesOf('src/generated');
  const stale = [...new Set([...wanted.keys(), ...present.keys()])].filter((name) => wanted.get(name) !== present.get(name));
  if (stale.length > 0) throw new Error(`Not up to date: ${stale.join(', ')}. Run npm run generate.`);
  console.log(`${present.size} generated files are up to date.`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

function filesOf(directory) {
  const names = readdirSync(directory, { recursive: true }).filter((name) => name.endsWith('.ts'));
  return new Map(names.map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
}
