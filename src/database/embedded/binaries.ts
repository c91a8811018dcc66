import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError, errorCode } from './embedded-postgres-error.js';

/** One unpacked PostgreSQL: `bin`, `lib` and `share` under `root`. */
export interface Binaries {
  root: string;
  /** Of the npm package, for instance `18.4.0`. */
  version: string;
  /** `18`; data directories of another major version cannot be opened. */
  major: string;
  /** What the programs need beside the plain environment. */
  environment: Record<string, string>;
}

/** Facts that decide whether there is a build for this machine. */
export interface Platform {
  os: string;
  cpu: string;
  musl: boolean;
  installed: boolean;
}

const builds = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64'];

/** One sentence or two on why there is no embedded PostgreSQL here; undefined when there should be one. */
export function platformRefusal({ os, cpu, musl, installed }: Platform): string | undefined {
  const instead = 'Set DATABASE_URL to a PostgreSQL server (postgres://user:password@host:5432/name) and start again.';
  if (!builds.includes(`${os}-${cpu}`)) return `The embedded PostgreSQL has no build for ${os} on ${cpu}. ${instead}`;
  if (musl) return `The embedded PostgreSQL needs glibc, but this system uses musl (Alpine, for instance). ${instead}`;
  if (installed) return undefined;
  return (
    `The package @embedded-postgres/${os}-${cpu} is not installed; it is an optional dependency, left out by --omit=optional. ` +
    `Run npm ci without that flag, or use your own server: ${instead}`
  );
}

export function systemUsesMusl(): boolean {
  if (process.platform !== 'linux') return false;
  // Without this the report looks up the names of all peers, which can take seconds.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}

/**
 * The PostgreSQL that npm unpacked for this machine, with its library links in place.
 * `linkDirectory` takes the links when node_modules cannot be written. Throws `EmbeddedPostgresError` when there is none.
 */
export function findBinaries(linkDirectory: string): Binaries {
  const { platform: os, arch: cpu } = process;
  let entry: string | undefined;
  try {
    entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${os}-${cpu}`);
  } catch {
    // Reported below, together with the other reasons there can be.
  }
  const refusal = platformRefusal({ os, cpu, musl: systemUsesMusl(), installed: entry !== undefined });
  if (refusal || !entry) throw new EmbeddedPostgresError(refusal);
  const packageRoot = dirname(dirname(entry));
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return {
    root: join(packageRoot, 'native'),
    version,
    major: version.split('.')[0] ?? '',
    environment: linkLibraries(packageRoot, linkDirectory),
  };
}

/**
 * npm packages cannot hold symbolic links, and we run no install scripts, so the links between library versions are made here.
 * Returns the environment that is needed when they could not be made in place.
 */
export function linkLibraries(packageRoot: string, linkDirectory: string): Record<string, string> {
  const list = join(packageRoot, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return {};
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  try {
    for (const { source, target } of links) {
      const path = join(packageRoot, target);
      if (!isThere(path)) link(basename(source), path);
    }
    return {};
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error) ?? '')) throw error;
  }
  rmSync(linkDirectory, { recursive: true, force: true });
  mkdirSync(linkDirectory, { recursive: true });
  for (const { source, target } of links) {
    link(join(packageRoot, source), join(linkDirectory, basename(target)));
  }
  return { [process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH']: linkDirectory };
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Another server may make the same link at the same moment; either one will do. */
function link(target: string, path: string): void {
  try {
    symlinkSync(target, path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}
