import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiHeader, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { ErrorCode } from '../../errors/error-codes.js';
import { Problems } from '../../transport/openapi.js';
import { AlertmanagerSpecDto, EmailSpecDto, SlackSpecDto, WebhookSpecDto } from './channel-specs.dto.js';
import { ChannelList, ChannelSchema, ChannelTestView, DeliveryList } from './channels.views.js';

const always: ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'INTERNAL', 'UNAVAILABLE'];
const withBody: ErrorCode[] = ['MALFORMED_REQUEST', 'VALIDATION_FAILED', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];
const onChannel: ErrorCode[] = ['VALIDATION_FAILED', 'NOT_FOUND'];

interface Route {
  summary: string;
  description: string;
  status?: number;
  view?: new () => object;
  tagged?: boolean;
  problems: ErrorCode[];
  extra?: MethodDecorator[];
}

const etag = {
  ETag: { required: true, description: 'The version of the channel; send it as If-Match.', schema: { type: 'string', example: '"1"' } },
} as const;

function route({ summary, description, status = 200, view, tagged = false, problems, extra = [] }: Route): MethodDecorator {
  return applyDecorators(
    ApiTags('alerts'),
    ApiOperation({ summary, description }),
    ApiResponse({
      status,
      description: view ? 'The answer.' : 'Done.',
      ...(view && { type: view }),
      ...(tagged && { headers: etag }),
    }),
    Problems(...new Set([...problems, ...always])),
    ...extra,
  );
}

const ofChannel = ApiParam({
  name: 'id',
  description: 'The channel.',
  schema: { type: 'string', format: 'uuid' },
  example: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b',
});
const ifMatch = ApiHeader({
  name: 'If-Match',
  required: false,
  description: 'Change only this version of the channel.',
  schema: { type: 'string', example: '"1"' },
});
const specs = ApiExtraModels(WebhookSpecDto, SlackSpecDto, EmailSpecDto, AlertmanagerSpecDto);

export const Documented = {
  create: route({
    summary: 'Create a channel',
    description: 'A way to tell somebody of alerts. Its secrets go in and never come out again.',
    status: 201,
    view: ChannelSchema,
    tagged: true,
    problems: [...withBody, 'CONFLICT'],
    extra: [specs],
  }),
  list: route({
    summary: 'List channels',
    description: 'Newest first, without secrets.',
    view: ChannelList,
    problems: ['VALIDATION_FAILED'],
  }),
  get: route({
    summary: 'Get a channel',
    description: 'Without its secrets.',
    view: ChannelSchema,
    tagged: true,
    problems: onChannel,
    extra: [ofChannel],
  }),
  patch: route({
    summary: 'Change a channel',
    description: 'The given fields of `spec` alone; secrets that are not given stay. Name and kind cannot be changed.',
    view: ChannelSchema,
    tagged: true,
    problems: [...withBody, 'NOT_FOUND', 'VERSION_MISMATCH'],
    extra: [ofChannel, ifMatch],
  }),
  remove: route({
    summary: 'Delete a channel',
    description: 'What waits for it is not sent any more.',
    status: 204,
    problems: [...onChannel, 'VERSION_MISMATCH'],
    extra: [ofChannel, ifMatch],
  }),
  test: route({
    summary: 'Test a channel',
    description: 'Sends a test notification now, also when the channel is switched off, and answers how it went.',
    view: ChannelTestView,
    problems: onChannel,
    extra: [ofChannel],
  }),
  deliveries: route({
    summary: 'List deliveries',
    description: 'What the channel was told or is to be told in the last seven days, newest first.',
    view: DeliveryList,
    problems: onChannel,
    extra: [ofChannel],
  }),
};
