import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory for databases, which PostgreSQL's account can enter when we are root. */
export function makeScratch(parent = tmpdir()) {
  const directory = mkdtempSync(join(parent, 'arkitect-bench-'));
  chmodSync(directory, 0o755);
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
