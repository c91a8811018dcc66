import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { ErrorCode } from '../errors/error-codes.js';
import { alwaysPossible, Problems, withBody } from '../transport/openapi.js';
import { AcknowledgeDto, CreateAlertDto, ResolveDto } from './alerts.dto.js';
import { AlertDetailsView, AlertHistoryPageView, AlertPageView, AlertStatsView, AlertView } from './alerts.views.js';

interface Route {
  summary: string;
  description: string;
  answer?: { description: string; type: new () => object };
  problems?: ErrorCode[];
  extra?: MethodDecorator[];
}

function route({ summary, description, answer, problems = [], extra = [] }: Route): MethodDecorator {
  return applyDecorators(
    ApiTags('alerts'),
    ApiOperation({ summary, description }),
    ...(answer ? [ApiResponse({ status: 200, ...answer })] : []),
    Problems(...problems, ...alwaysPossible),
    ...extra,
  );
}

const ofAlert = ApiParam({
  name: 'id',
  description: 'The alert.',
  schema: { type: 'string', format: 'uuid' },
  example: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b',
});
const location = { Location: { description: 'Where the alert is.', schema: { type: 'string' as const } } };
const anAlert = { description: 'The alert.', type: AlertView };

/** What `/docs` and `openapi.json` say of each route of `AlertsController`. */
export const Documented = {
  create: route({
    summary: 'Raise an alert',
    description:
      'The same name and labels are the same alert while it lasts: sent again, it is brought up to date (200), and its expiry begins anew.',
    problems: withBody,
    extra: [
      ApiBody({ type: CreateAlertDto }),
      ApiResponse({ status: 201, description: 'A new alert.', type: AlertView, headers: location }),
      ApiResponse({ status: 200, description: 'The active alert, brought up to date.', type: AlertView, headers: location }),
    ],
  }),
  list: route({
    summary: 'List alerts',
    description: 'Newest first. Filters combine with AND, values separated by commas with OR.',
    answer: { description: 'One page.', type: AlertPageView },
    problems: ['VALIDATION_FAILED'],
  }),
  stats: route({
    summary: 'Count alerts',
    description: 'By state, severity and name, and how long it took until somebody cared and until they ended.',
    answer: { description: 'The numbers.', type: AlertStatsView },
    problems: ['VALIDATION_FAILED'],
  }),
  get: route({
    summary: 'Read an alert',
    description: 'With what keeps it from being told now. Resolved ones are there for ALERTS_RETENTION_DAYS.',
    answer: { description: 'The alert.', type: AlertDetailsView },
    problems: ['VALIDATION_FAILED', 'NOT_FOUND'],
    extra: [ofAlert],
  }),
  history: route({
    summary: 'List what has happened to an alert',
    description: 'Who did what, with their notes.',
    answer: { description: 'One page, oldest first.', type: AlertHistoryPageView },
    problems: ['VALIDATION_FAILED', 'NOT_FOUND'],
    extra: [ofAlert],
  }),
  acknowledge: route({
    summary: 'Acknowledge an alert',
    description: 'Somebody takes care of it. With `minutes` it is open again when it is not resolved by then.',
    answer: anAlert,
    problems: [...withBody, 'NOT_FOUND', 'CONFLICT'],
    extra: [ofAlert, ApiBody({ type: AcknowledgeDto, required: false })],
  }),
  resolve: route({
    summary: 'Resolve an alert',
    description: 'It is over. Raised again, it is another alert.',
    answer: anAlert,
    problems: [...withBody, 'NOT_FOUND', 'CONFLICT'],
    extra: [ofAlert, ApiBody({ type: ResolveDto, required: false })],
  }),
};
