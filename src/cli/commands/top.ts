import { styleText } from 'node:util';
import type { Command } from 'commander';
import { command, runs } from '../command.js';
import type { Context } from '../context.js';
import { eventStream } from '../event-stream.js';
import { Failure, Refused } from '../failures.js';
import type { Metrics, Paint } from '../metrics-text.js';
import type { Item } from '../text.js';
import { coursePoints, frame, type Seen } from '../top/frame.js';
import { Screen } from '../top/screen.js';

const drawMs = 1_000;
const workersMs = 5_000;
const retryMs = 2_000;

export function addTop(program: Command): void {
  const top = command(program, 'top', 'Live view of tasks, queues, workers and the system; q leaves', [
    'top',
    'top --once',
    'NO_COLOR=1 arkitect top',
  ]).option('--once', 'one picture, as without a terminal');
  runs(top, async (context, { once }) => {
    if (context.print.output !== 'table') return printAll(context);
    if (once || !process.stdout.isTTY) return printOnce(context);
    await follow(context);
  });
}

const styles = { good: 'green', bad: 'red', warn: 'yellow', title: 'bold', faint: 'dim' } as const;

/** Says nothing in colours to what is no terminal, or with NO_COLOR. */
const paint: Paint = (text, tone) => styleText(styles[tone], text, { stream: process.stdout });

async function printAll({ api, print }: Context): Promise<void> {
  const [metrics, workers] = await Promise.all([api.get('/metrics'), api.page('/workers')]);
  print.value({ metrics, workers: workers.items }, () => []);
}

async function printOnce({ api, print }: Context): Promise<void> {
  const [metrics, { items: workers }] = await Promise.all([api.get('/metrics'), api.page('/workers')]);
  const seen: Seen = { url: api.url.origin, metrics: metrics as unknown as Metrics, workers, throughput: [], trouble: undefined };
  const width = Number(process.env.COLUMNS) || process.stdout.columns || 80;
  print.value({}, () => frame(seen, { width, height: Number.POSITIVE_INFINITY }, paint));
}

async function follow({ api }: Context): Promise<void> {
  // What cannot begin is told on the ordinary screen.
  const [first, { items: workers }] = await Promise.all([api.get('/metrics'), api.page('/workers')]);
  const seen: Seen = { url: api.url.origin, metrics: undefined, workers, throughput: [], trouble: undefined };
  take(seen, first);
  const draw = () => screen.draw(frame(seen, screen.size(), paint));
  const screen = new Screen(draw);
  const stop = new AbortController();
  screen.show();
  draw();
  const timers = [setInterval(draw, drawMs), setInterval(() => void readWorkers(), workersMs)];
  const readWorkers = async () => {
    // The stream of metrics tells of trouble.
    const page = await api.page('/workers').catch(() => undefined);
    if (page) seen.workers = page.items;
  };
  try {
    const refused = listen(seen, (path) => eventStream(api, path, { signal: stop.signal }), stop.signal);
    process.exitCode = await Promise.race([screen.left, refused]);
  } finally {
    stop.abort();
    timers.forEach(clearInterval);
    screen.restore();
  }
}

function take(seen: Seen, metrics: Item): void {
  seen.metrics = metrics as unknown as Metrics;
  seen.trouble = undefined;
  seen.throughput = [...seen.throughput, seen.metrics.task_metrics.throughput].slice(-coursePoints);
}

/** Keeps what is seen up to date; a connection that breaks is made again. Only a refusal ends it. */
async function listen(seen: Seen, open: (path: string) => ReturnType<typeof eventStream>, signal: AbortSignal): Promise<never> {
  for (;;) {
    try {
      for await (const { data } of open('/metrics/realtime')) take(seen, data);
      seen.trouble = 'The server has ended the stream; connecting again…';
    } catch (error) {
      if (signal.aborted) return new Promise(() => undefined);
      if (!(error instanceof Failure) || (error instanceof Refused && error.problem.code !== 'UNAVAILABLE')) throw error;
      seen.trouble = error.message;
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}
