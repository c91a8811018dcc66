import { breakdown, overview, workerTable, type Metrics, type Paint } from '../metrics-text.js';
import { clip, display, type Item } from '../text.js';

/** What is known of the server when a frame is drawn. */
export interface Seen {
  url: string;
  metrics: Metrics | undefined;
  workers: Item[];
  /** Of the last frames, oldest first. */
  throughput: number[];
  /** Why nothing new is coming. */
  trouble: string | undefined;
}

export interface Size {
  width: number;
  height: number;
}

/** Points of the course of the throughput that are drawn, and so worth keeping. */
export const coursePoints = 20;

/** One picture, no larger than the terminal. */
export function frame(seen: Seen, { width, height }: Size, paint: Paint): string[] {
  const head = `${paint('arkitect top', 'title')}  ${seen.url}`;
  if (!seen.metrics) return [head, seen.trouble ?? 'Connecting…'];
  const { metrics } = seen;
  const lines = [
    `${head}  ${display(metrics.replica)}`,
    seen.trouble ? paint(clip(seen.trouble, width), 'bad') : display(metrics.at),
    ...overview(metrics, paint, course(seen.throughput)),
    '',
  ];
  const queues = breakdown('queue', metrics.task_metrics.by_queue, width);
  const workers = seen.workers.length ? ['', ...workerTable(seen.workers, width)] : [];
  // Both get half of what is left, and what the other does not need.
  const room = Math.max(0, height - lines.length);
  const forWorkers = Math.min(workers.length, Math.max(Math.floor(room / 2), room - queues.length));
  return [...lines, ...shortened(queues, room - forWorkers), ...shortened(workers, forWorkers)].slice(0, height);
}

function shortened(lines: string[], room: number): string[] {
  if (lines.length <= room) return lines;
  const kept = Math.max(0, room - 1);
  return [...lines.slice(0, kept), `… ${lines.length - kept} more`];
}

const blocks = '▁▂▃▄▅▆▇█';

function course(values: number[]): string {
  const most = Math.max(...values, 0);
  if (most === 0) return '';
  return values.map((value) => blocks[Math.round((value / most) * (blocks.length - 1))]!).join('');
}
