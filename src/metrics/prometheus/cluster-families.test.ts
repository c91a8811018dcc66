import { expect, test } from 'vitest';
import { clusterFamilies } from './cluster-families.js';

const line = (queue: string, created: number) => ({ tenant_id: 'default', queue, type: 'echo', name: 'created_total', value: created });
const created = (counts: ReturnType<typeof line>[], shown: Set<string>) =>
  clusterFamilies(counts, undefined, shown).find(({ name }) => name === 'arkitect_tasks_created_total')!.values;

test('a hundred lines are told apart, the others are one, and no counter falls when another line grows', () => {
  const shown = new Set<string>();
  const counts = Array.from({ length: 150 }, (_, index) => line(`q${index}`, 1_000 - index));
  const before = created(counts, shown);
  expect(before).toHaveLength(101);
  expect(before.at(-1)).toMatchObject({ labels: { queue: 'other', type: 'other' } });
  counts[149] = line('q149', 1_000_000);
  const after = created(counts, shown);
  expect(after).toHaveLength(101);
  for (const { labels, value } of before) {
    const now = after.find((candidate) => candidate.labels.queue === labels.queue);
    expect(now!.value, String(labels.queue)).toBeGreaterThanOrEqual(value);
  }
  expect(after.some(({ labels }) => labels.queue === 'q149')).toBe(false);
});
