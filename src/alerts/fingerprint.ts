import { createHash } from 'node:crypto';
import type { Labels } from './alert.js';

/** The same for the same name and labels, in whatever order they come. */
export function fingerprint(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([name, ...pairs]))
    .digest('hex')
    .slice(0, 32);
}
