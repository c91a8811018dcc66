// Part of `npm run check`: what package.json and package-lock.json must be so that `npm ci` works everywhere and always alike.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const problems = ['.', '.ci/tools', 'bench', 'sdk/typescript'].flatMap((directory) =>
  packageProblems(directory).map((problem) => join(directory, problem)),
);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length ? 1 : 0;

function packageProblems(directory) {
  const manifest = readJson(join(directory, 'package.json'));
  const { packages } = readJson(join(directory, 'package-lock.json'));
  return [...inexactVersions(manifest), ...registryHosts(packages), ...missingPlatforms(packages)];
}

function inexactVersions({ dependencies, devDependencies, optionalDependencies, overrides }) {
  return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies, ...overrides })
    .filter(([, range]) => !/^(npm:(@[^@]+|[^@]+)@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(range))
    .map(([name, range]) => `package.json: ${name} is ${range}; pin one exact version, such as 1.2.3.`);
}

/** A lock with addresses works only where that registry is reached under that name. */
function registryHosts(packages) {
  return Object.entries(packages)
    .filter(([, { resolved }]) => resolved !== undefined)
    .map(
      ([path]) =>
        `package-lock.json: ${path} holds the address it came from; .npmrc says omit-lockfile-registry-resolved, so install it again.`,
    );
}

/**
 * npm leaves an optional package out of the lock when that version is missing in the registry, and `npm ci` refuses
 * such a lock: binaries for other platforms are often published later than the package that names them.
 */
function missingPlatforms(packages) {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !isLocked(packages, path, name))
      .map(
        (name) =>
          `package-lock.json: ${path || 'the project'} names ${name}, which is not in the lock; pin a version that has all its platform packages.`,
      ),
  );
}

/** Looks where Node would: in the package's own node_modules, then in those above it. */
function isLocked(packages, path, name) {
  for (let parent = path; ; parent = parent.slice(0, Math.max(0, parent.lastIndexOf('/node_modules/')))) {
    if (packages[`${parent ? `${parent}/` : ''}node_modules/${name}`]) return true;
    if (!parent) return false;
  }
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}
