import type { Command } from 'commander';
import { command, runs } from '../command.js';
import { addText } from '../input.js';
import { breakdown, overview, type Metrics } from '../metrics-text.js';
import { display, printable, type Item } from '../text.js';

export function addMetrics(program: Command): void {
  const metrics = command(program, 'metrics', 'Numbers of tasks and health of the system', [
    'metrics',
    'metrics --output json',
    'metrics history arkitect_tasks --label status=queued --step 60',
  ]);
  runs(command(metrics, 'summary', 'All at a glance', ['metrics', 'metrics summary --output json'], true), async ({ api, print }) => {
    const answer = await api.get('/metrics');
    print.value(answer, () => {
      const all = answer as unknown as Metrics;
      const { by_queue, by_type } = all.task_metrics;
      const unpainted = (text: string) => text;
      return [
        `${display(all.at)}  ${printable(all.replica)}`,
        ...overview(all, unpainted),
        '',
        ...breakdown('queue', by_queue),
        '',
        ...breakdown('type', by_type),
      ];
    });
  });
  const history = command(metrics, 'history <metric>', 'How a metric has changed', [
    'metrics history arkitect_tasks --label status=queued',
    'metrics history arkitect_tasks --from 2026-11-26T08:00:00Z --step 60 --output json',
  ])
    .option('--label <key=value>', 'series with this label; repeat it for more, which must all hold', addText)
    .option('--from <time>', 'from this time on')
    .option('--to <time>', 'until before this time')
    .option('--step <seconds>', 'between two points');
  runs(history, async ({ api, print }, query, metric) => {
    const answer = await api.get('/metrics/history', { metric, ...query });
    if (print.output === 'ndjson') return (answer.series as Item[]).forEach((series) => print.event(series, ''));
    print.value(answer, () => {
      const points = (answer.series as { labels: Item; points: Item[] }[]).flatMap(({ labels, points: each }) =>
        each.map((point) => ({ ...rounded(point), labels })),
      );
      return print.table(points, ['at', 'last', 'avg', 'min', 'max', 'labels']);
    });
  });
  const names = command(metrics, 'names', 'List the metrics of the history', ['metrics names']);
  runs(names, async ({ api, print }) => {
    const answer = await api.get('/metrics/history/names');
    print.value(answer, () => (answer.items as string[]).map(printable));
  });
}

/** More digits say nothing; the JSON has them. */
function rounded(point: Item): Item {
  return Object.fromEntries(
    Object.entries(point).map(([key, value]) => [key, typeof value === 'number' ? Number(value.toPrecision(6)) : value]),
  );
}
