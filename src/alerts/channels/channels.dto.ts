import { refs } from '@nestjs/swagger';
import { Choice, Flag, FreeJsonObject, IdField, IfVersion, Name } from '../../input/fields.js';
import { PageDto } from '../../input/query.js';
import { channelKinds, type ChannelKind } from './channel.js';
import { AlertmanagerSpecDto, EmailSpecDto, SlackSpecDto, SocketSpecDto, WebhookSpecDto } from './channel-specs.dto.js';

export class CreateChannelDto {
  @Name({ description: 'What routes call it; it cannot be changed.', example: 'ops' })
  name: string;

  @Choice({ values: channelKinds, description: 'How it tells.', example: 'webhook' })
  kind: ChannelKind;

  @Flag({ optional: true, default: true, description: 'Whether it is used.' })
  enabled: boolean = true;

  @FreeJsonObject({
    schemas: refs(WebhookSpecDto, SlackSpecDto, EmailSpecDto, AlertmanagerSpecDto, SocketSpecDto),
    optional: true,
    default: {},
    description: 'The settings of its kind: WebhookSpecDto, SlackSpecDto, EmailSpecDto or AlertmanagerSpecDto; none for socket.',
    example: { url: 'https://example.com/hook', secret: 'a-long-secret' },
  })
  spec: Record<string, unknown> = {};
}

export class PatchChannelDto {
  @Flag({ optional: true, description: 'Whether it is used.', example: false })
  enabled?: boolean;

  @FreeJsonObject({
    optional: true,
    description: 'Settings to change; null takes one away. Who changes where it leads gives the secrets that are sent there, too.',
    example: { template: null },
  })
  spec?: Record<string, unknown>;
}

export class ChannelIdDto {
  @IdField('a channel')
  id: string;
}

/* Socket.IO payloads and gRPC messages. */

export class PatchChannelMessage extends PatchChannelDto {
  @IdField('a channel')
  id: string;

  @IfVersion()
  version?: number;
}

export class DeleteChannelMessage extends ChannelIdDto {
  @IfVersion()
  version?: number;
}

export class DeliveriesMessage extends PageDto {
  @IdField('a channel')
  id: string;
}
