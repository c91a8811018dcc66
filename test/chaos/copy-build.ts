import { chmodSync, cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Copies the compiled server into `directory`, so that the sources may change and be compiled while it runs; returns its place. */
export function copyBuild(root: string, directory: string): string {
  const build = join(directory, 'build');
  mkdirSync(build);
  for (const part of ['dist', 'migrations', 'proto', 'package.json']) cpSync(join(root, part), join(build, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(build, 'node_modules'));
  // The database runs under another account when we are root.
  chmodSync(directory, 0o755);
  return build;
}
