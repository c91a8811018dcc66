import { ApiExtraModels, ApiParam } from '@nestjs/swagger';
import type { ErrorCode } from '../../errors/error-codes.js';
import { withBody } from '../../transport/openapi.js';
import { documentedRoutes } from '../../transport/documented-routes.js';
import { AlertmanagerSpecDto, EmailSpecDto, SlackSpecDto, SocketSpecDto, WebhookSpecDto } from './channel-specs.dto.js';
import { ChannelList, ChannelSchema, ChannelTestView, DeliveryList } from './channels.views.js';

const onChannel: ErrorCode[] = ['VALIDATION_FAILED', 'NOT_FOUND'];
const { route, ifMatch } = documentedRoutes('the channel');

const ofChannel = ApiParam({
  name: 'id',
  description: 'The channel.',
  schema: { type: 'string', format: 'uuid' },
  example: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b',
});
const specs = ApiExtraModels(WebhookSpecDto, SlackSpecDto, EmailSpecDto, AlertmanagerSpecDto, SocketSpecDto);

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
