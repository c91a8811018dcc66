import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiOperation, ApiProduces, ApiResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { ErrorCode } from '../errors/error-codes.js';
import { alwaysPossible, Problems } from '../transport/openapi.js';
import { HistoryView, LineMetricsView, MetricNamesView, MetricsView, TaskMetricsView } from './metrics.views.js';

function route(summary: string, description: string, answer: MethodDecorator, problems: ErrorCode[] = []): MethodDecorator {
  return applyDecorators(
    ApiTags('metrics'),
    ApiExtraModels(LineMetricsView),
    ApiOperation({ summary, description }),
    answer,
    Problems(...problems, ...alwaysPossible),
  );
}

const answer = (description: string, type: new () => object) => ApiResponse({ status: 200, description, type });

const example =
  '# HELP arkitect_replicas Replicas of the server that are alive. Cluster-wide.\n# TYPE arkitect_replicas gauge\narkitect_replicas 1\n';
const exposition = {
  'text/plain': { schema: { type: 'string', example } },
  'application/openmetrics-text': { schema: { type: 'string', example: `${example}# EOF\n` } },
} as const;
const expositionTypes = Object.keys(exposition);

/** What `/docs` and `openapi.json` say of each route of `MetricsController`. */
export const Documented = {
  get: route(
    'Read all metrics',
    'Numbers of tasks are exact: whatever was acknowledged before is counted. What looks back over minutes is as of the last look of the leader. ' +
      'A scraper that prefers text gets what GET /metrics/prometheus answers.',
    applyDecorators(
      ApiExtraModels(MetricsView),
      ApiProduces('application/json', ...expositionTypes),
      ApiResponse({
        status: 200,
        description: 'The metrics.',
        content: { 'application/json': { schema: { $ref: getSchemaPath(MetricsView) } }, ...exposition },
      }),
    ),
  ),
  prometheus: route(
    'Scrape the metrics',
    'The exposition formats of Prometheus: text (0.0.4), or OpenMetrics (1.0.0) for a scraper that prefers it. GET /metrics answers the same to a scraper.',
    applyDecorators(ApiProduces(...expositionTypes), ApiResponse({ status: 200, description: 'The metrics.', content: exposition })),
  ),
  tasks: route(
    'Read the metrics of tasks',
    'In all, and by queue and type. Numbers of tasks are exact.',
    answer('The metrics.', TaskMetricsView),
  ),
  realtime: route(
    'Follow all metrics',
    'Server-sent events: `metrics_updated` now, and each time the leader has looked at the cluster (METRICS_INTERVAL_SECONDS).',
    applyDecorators(
      ApiProduces('text/event-stream'),
      ApiResponse({
        status: 200,
        description: 'The stream.',
        content: {
          'text/event-stream': {
            schema: { type: 'string', example: 'event: metrics_updated\ndata: {"at":"2026-11-26T09:00:00.000Z"}\n\n' },
          },
        },
      }),
    ),
  ),
  history: route(
    'Read the history of a metric',
    'As sampled (10 s), by the minute or by the hour, whichever goes back far enough and suits `step`.',
    answer('Its series.', HistoryView),
    ['VALIDATION_FAILED'],
  ),
  names: route('List the metrics of the history', 'Names for `metric` of GET /metrics/history.', answer('The names.', MetricNamesView)),
};
