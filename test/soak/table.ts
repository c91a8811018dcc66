import type { Sample } from './sample.js';
import type { Comparison } from './verdict.js';

type Column = [heading: string, of: (sample: Sample) => string];

const columns: Column[] = [
  ['minute', (sample) => (sample.at / 60).toFixed(1)],
  ['tasks/s', (sample) => sample.perSecond.toFixed(0)],
  ['p50 ms', (sample) => sample.p50.toFixed(1)],
  ['p99 ms', (sample) => sample.p99.toFixed(1)],
  ['on their way', (sample) => `${sample.outstanding}`],
  ['queued', (sample) => `${sample.queued}`],
  ['dead tasks', (sample) => `${sample.deadTasks}`],
  ['dead events', (sample) => `${sample.deadEvents}`],
  ['vacuums', (sample) => `${sample.vacuums}`],
  ['RSS MB', (sample) => sample.rssMegabytes.toFixed(0)],
];

export const heading = columns.map(([name]) => name.padStart(12)).join('');

export function line(sample: Sample): string {
  return columns.map(([, of]) => of(sample).padStart(12)).join('');
}

/** First half, second half and limit of each figure. */
export function table(comparisons: readonly Comparison[]): string {
  const rows = [['', 'first half', 'second half', 'ratio', 'limit'], ...comparisons.map(cells)];
  return rows.map(([name, ...rest]) => name!.padEnd(30) + rest.map((cell) => cell.padStart(14)).join('')).join('\n');
}

function cells({ what, unit, first, second, limit }: Comparison): string[] {
  const [from, to, most] = [first, second, limit].map((value) => (value === undefined ? '–' : `${value.toFixed(1)} ${unit}`.trim()));
  return [what, from!, to!, first ? (second / first).toFixed(2) : '–', most!];
}
