import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { taskStatuses } from '../tasks/task.js';

/*
 * Answers of /metrics for the OpenAPI document; the values are those of metrics.service.ts.
 */

const number = (description: string, example: number, more: ApiPropertyOptions = {}) =>
  ApiProperty({ type: 'number', description, example, ...more });
const whole = (description: string, example: number) => ApiProperty({ type: 'integer', description, example });
const seconds = (description: string, example: number) =>
  number(`${description}, in seconds; null when there is nothing to tell.`, example, { nullable: true });

class ProcessView {
  @number("Of the machine's CPU, in per cent.", 3.5)
  cpu_usage: number;

  @whole('Resident memory, in bytes.', 190_000_000)
  resident_bytes: number;

  @whole('Used JavaScript heap, in bytes.', 60_000_000)
  heap_used_bytes: number;

  @whole('Since the start, in seconds.', 86_400)
  uptime_seconds: number;
}

export class SystemHealthView {
  @number('Of all cores, in per cent, since the sample before.', 12.5)
  cpu_usage: number;

  @number('Of the memory that the process may use, in per cent.', 41.2)
  memory_usage: number;

  @number('Of the file system of DATA_DIR, in per cent; null where it cannot be told.', 37, { nullable: true })
  disk_usage: number | null;

  @ApiProperty({
    type: 'array',
    items: { type: 'number' },
    minItems: 3,
    maxItems: 3,
    description: 'Load average over 1, 5 and 15 minutes.',
    example: [0.5, 0.4, 0.3],
  })
  load: number[];

  @number('p99 of how late timers ran, in seconds.', 0.002)
  event_loop_lag: number;

  @ApiProperty({ type: () => ProcessView })
  process: ProcessView;
}

export class QuantilesView {
  @seconds('Half of them took at most this long', 0.004)
  p50: number | null;

  @seconds('95 % of them took at most this long', 0.02)
  p95: number | null;

  @seconds('99 % of them took at most this long', 0.05)
  p99: number | null;
}

export class LineMetricsView {
  @whole('All that are stored.', 1_250)
  total_tasks: number;

  @number('Completed among those that are stored and ended completed or failed, 0 to 1; null when there are none.', 0.98, {
    nullable: true,
  })
  success_rate: number | null;

  @number('Failed among the same; null when there are none.', 0.02, { nullable: true })
  failure_rate: number | null;

  @number('Tasks that ended per second, over the last minute.', 12.5)
  throughput: number;

  @ApiProperty({ type: () => QuantilesView, description: 'From queued to started, over the last five minutes.' })
  wait_time: QuantilesView;

  @ApiProperty({ type: () => QuantilesView, description: 'From started to the end, over the last five minutes.' })
  run_time: QuantilesView;

  @number('Of the task that has waited longest in line, in seconds.', 3.2)
  oldest_waiting_seconds: number;
}
// One field for each status, named after it.
for (const status of taskStatuses) whole(`Now ${status}.`, 10)(LineMetricsView.prototype, `${status}_tasks`);

const byName = (what: string) =>
  ApiProperty({
    type: 'object',
    additionalProperties: { $ref: '#/components/schemas/LineMetricsView' },
    description: `The same of each ${what}, by its name.`,
    example: {},
  });

export class TaskMetricsView extends LineMetricsView {
  @byName('queue')
  by_queue: Record<string, LineMetricsView>;

  @byName('type')
  by_type: Record<string, LineMetricsView>;
}

class ResponseLatencyView extends QuantilesView {
  @whole('REST requests since the sample before, streams left out.', 250)
  requests: number;
}

class DatabaseView {
  @seconds('What a small write takes, with its way there and back', 0.0004)
  latency: number | null;

  @whole('Callers that wait for a connection.', 0)
  waiting: number;
}

class WorkerCountsView {
  @whole('Connected.', 3)
  connected: number;

  @whole('Taking no more tasks.', 0)
  draining: number;

  @whole('Not heard of lately.', 0)
  gone: number;

  @whole('Tasks that they can run at the same time.', 30)
  slots: number;

  @whole('Tasks that they run.', 12)
  in_flight: number;
}

class AlertCountsView {
  @whole('Of severity info.', 0)
  info: number;

  @whole('Of severity warning.', 1)
  warning: number;

  @whole('Of severity critical.', 0)
  critical: number;

  @whole('That nobody has acknowledged.', 1)
  open: number;

  @whole('That somebody takes care of.', 0)
  acknowledged: number;
}

export class MetricsView {
  @ApiProperty({ type: 'string', format: 'date-time', description: 'When this was read.', example: '2026-11-26T09:00:00.000Z' })
  at: string;

  @ApiProperty({ type: String, description: 'The replica that answers, and whose health this is.', example: 'host-4711-1a2b3c4d' })
  replica: string;

  @ApiProperty({ type: () => SystemHealthView })
  system_health: SystemHealthView;

  @ApiProperty({ type: () => TaskMetricsView })
  task_metrics: TaskMetricsView;

  @whole('Open Socket.IO connections, of all replicas.', 12)
  websocket_connections: number;

  @whole('Open gRPC streams, of all replicas.', 4)
  grpc_streams: number;

  @ApiProperty({ type: () => ResponseLatencyView, description: 'Of REST requests to this replica.' })
  response_latency: ResponseLatencyView;

  @ApiProperty({ type: () => DatabaseView })
  database: DatabaseView;

  @ApiProperty({ type: 'boolean', nullable: true, description: 'Null without REDIS_URL.', example: null })
  redis_up: boolean | null;

  @ApiProperty({ type: () => WorkerCountsView, description: 'Remote workers of all replicas.' })
  workers: WorkerCountsView;

  @ApiProperty({ type: () => AlertCountsView, description: 'Alerts that are not resolved.' })
  alerts: AlertCountsView;

  @whole('Replicas that are alive.', 1)
  replicas: number;
}

class HistoryPointView {
  @ApiProperty({ type: 'string', format: 'date-time', description: 'The beginning of the step.', example: '2026-11-26T09:00:00.000Z' })
  at: string;

  @number('Mean of the samples.', 4)
  avg: number;

  @number('Smallest sample.', 1)
  min: number;

  @number('Largest sample.', 9)
  max: number;

  @number('Latest sample.', 3)
  last: number;
}

class HistorySeriesView {
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'What tells it from the other series.',
    example: { queue: 'default' },
  })
  labels: Record<string, string>;

  @ApiProperty({ type: () => [HistoryPointView], description: 'Oldest first; steps without a sample are absent.' })
  points: HistoryPointView[];
}

export class HistoryView {
  @ApiProperty({ type: String, example: 'arkitect_tasks' })
  metric: string;

  @ApiProperty({ type: 'string', format: 'date-time', example: '2026-11-26T08:00:00.000Z' })
  from: string;

  @ApiProperty({ type: 'string', format: 'date-time', example: '2026-11-26T09:00:00.000Z' })
  to: string;

  @whole('Seconds between two points.', 10)
  step: number;

  @ApiProperty({ type: () => [HistorySeriesView] })
  series: HistorySeriesView[];
}

export class MetricNamesView {
  @ApiProperty({ type: [String], description: 'In alphabetical order.', example: ['arkitect_tasks'] })
  items: string[];
}
