import { taskStatuses } from '../tasks/task.js';
import { table, type Column } from './table.js';
import { display, type Item } from './text.js';

/** `GET /metrics`, as far as it is shown. */
export interface Metrics {
  at: string;
  replica: string;
  system_health: {
    cpu_usage: number;
    memory_usage: number;
    disk_usage: number | null;
    load: number[];
    event_loop_lag: number;
    process: { cpu_usage: number; resident_bytes: number; heap_used_bytes: number; uptime_seconds: number };
  };
  task_metrics: Line & { by_queue: Record<string, Line>; by_type: Record<string, Line> };
  websocket_connections: number;
  grpc_streams: number;
  response_latency: Quantiles & { requests: number };
  database: { latency: number | null; waiting: number };
  redis_up: boolean | null;
  workers: { connected: number; draining: number; gone: number; slots: number; in_flight: number };
  alerts: { info: number; warning: number; critical: number; open: number; acknowledged: number };
  replicas: number;
}

interface Quantiles {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

type Line = Item & {
  success_rate: number | null;
  failure_rate: number | null;
  throughput: number;
  wait_time: Quantiles;
  run_time: Quantiles;
  oldest_waiting_seconds: number;
};

/** How a part of a line is to be seen where there are colours. */
export type Paint = (text: string, tone: 'good' | 'bad' | 'warn' | 'title' | 'faint') => string;

/** Everything at a glance, in lines of less than 80 columns. `spark`: the course of the throughput. */
export function overview(metrics: Metrics, paint: Paint, spark = ''): string[] {
  return [...systemLines(metrics, paint), '', ...taskLines(metrics, paint, spark), '', alertLine(metrics, paint), workerLine(metrics)];
}

function systemLines({ system_health: health, database, redis_up, response_latency, ...counts }: Metrics, paint: Paint): string[] {
  const { process: own, load } = health;
  const redis = redis_up === null ? '-' : redis_up ? 'up' : paint('down', 'bad');
  return [
    `${bar('CPU', health.cpu_usage, paint)}  ${bar('Memory', health.memory_usage, paint)}  ${bar('Disk', health.disk_usage, paint)}`,
    `Load ${load.map((each) => each.toFixed(2)).join(' ')}   Event loop ${time(health.event_loop_lag)}   Database ${time(database.latency)}   Redis ${redis}`,
    `Process ${bytes(own.resident_bytes)}, heap ${bytes(own.heap_used_bytes)}, CPU ${own.cpu_usage.toFixed(1)} %, up ${time(own.uptime_seconds)}`,
    `Replicas ${counts.replicas}   Sockets ${counts.websocket_connections}   gRPC streams ${counts.grpc_streams}   REST p99 ${time(response_latency.p99)}`,
  ];
}

function taskLines({ task_metrics: tasks }: Metrics, paint: Paint, spark: string): string[] {
  const tones = { failed: 'bad', completed: 'good' } as const;
  const counts = taskStatuses.map((status) => {
    const count = Number(tasks[`${status}_tasks`] ?? 0);
    const text = `${status} ${count.toLocaleString('en')}`.padEnd(21);
    return count && status in tones ? paint(text, tones[status as keyof typeof tones]) : count ? text : paint(text, 'faint');
  });
  return [
    `${paint('TASKS', 'title')}  ${rate(tasks.throughput)}/s ${spark}  success ${percent(tasks.success_rate)}  oldest waits ${time(tasks.oldest_waiting_seconds)}`,
    ...[counts.slice(0, 3), counts.slice(3, 6), counts.slice(6)].map((three) => `  ${three.join(' ')}`),
    `  wait ${quantiles(tasks.wait_time)}   run ${quantiles(tasks.run_time)}`,
  ];
}

function alertLine({ alerts }: Metrics, paint: Paint): string {
  const critical = `${alerts.critical} critical`;
  const warning = `${alerts.warning} warning`;
  return `${paint('ALERTS', 'title')}   ${alerts.critical ? paint(critical, 'bad') : critical}  ${alerts.warning ? paint(warning, 'warn') : warning}  ${alerts.info} info   open ${alerts.open}  acknowledged ${alerts.acknowledged}`;
}

function workerLine({ workers }: Metrics): string {
  return `WORKERS  ${workers.connected} connected  ${workers.draining} draining  ${workers.gone} gone   running ${workers.in_flight} in ${workers.slots} slots`;
}

const lineColumns: Column[] = (
  [
    ['queued', (line) => line.queued_tasks],
    ['running', (line) => line.running_tasks],
    ['per s', (line) => rate(line.throughput)],
    ['failed', (line) => percent(line.failure_rate)],
    ['wait p95', (line) => time(line.wait_time.p95)],
    ['run p95', (line) => time(line.run_time.p95)],
    ['oldest', (line) => time(line.oldest_waiting_seconds)],
  ] satisfies [string, (line: Line) => unknown][]
).map(([title, value]) => ({ title, value: ({ line }) => value(line as Line), right: true }));

/** Numbers by queue or by type, those with most to do first. */
export function breakdown(title: string, lines: Record<string, Line>, width?: number): string[] {
  const busy = ({ line }: { line: Line }) => Number(line.queued_tasks) + Number(line.running_tasks);
  const items = Object.entries(lines)
    .map(([name, line]) => ({ name, line }))
    .sort((a, b) => busy(b) - busy(a) || b.line.throughput - a.line.throughput || a.name.localeCompare(b.name));
  return table(items, [{ title, value: ({ name }) => name }, ...lineColumns], width);
}

function bar(name: string, value: number | null, paint: Paint): string {
  if (value === null) return `${name} -`;
  const full = Math.min(10, Math.max(0, Math.round(value / 10)));
  const drawn = `[${'#'.repeat(full)}${'.'.repeat(10 - full)}]`;
  return `${name} ${value >= 90 ? paint(drawn, 'bad') : value >= 75 ? paint(drawn, 'warn') : drawn}${value.toFixed(0).padStart(4)} %`;
}

function quantiles({ p50, p95, p99 }: Quantiles): string {
  return `p50 ${time(p50)} p95 ${time(p95)} p99 ${time(p99)}`;
}

function rate(perSecond: number): string {
  return perSecond >= 100 ? perSecond.toFixed(0) : perSecond.toFixed(1);
}

function percent(share: number | null): string {
  return share === null ? '-' : `${(share * 100).toFixed(1)} %`;
}

/** Seconds in the unit that fits. */
export function time(seconds: number | null): string {
  if (seconds === null) return '-';
  if (seconds === 0) return '0 s';
  if (seconds < 0.001) return `${(seconds * 1e6).toFixed(0)} µs`;
  if (seconds < 1) return `${Number((seconds * 1_000).toPrecision(2))} ms`;
  if (seconds < 60) return `${Number(seconds.toPrecision(2))} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}

function bytes(count: number): string {
  return count < 1e9 ? `${(count / 1e6).toFixed(0)} MB` : `${(count / 1e9).toFixed(1)} GB`;
}

/** The columns of workers where room is scarce. */
export function workerTable(workers: Item[], width?: number): string[] {
  const types = ({ types: names }: Item) => display(names);
  return table(
    workers,
    [{ title: 'worker', value: ({ id }) => id }, 'state', 'in_flight', 'slots', { title: 'types', value: types }],
    width,
  );
}
