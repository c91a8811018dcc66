import { ApiProperty, refs } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { Matches } from 'class-validator';
import { Choice, Flag, FreeJsonObject, Name, Whole } from '../../input/fields.js';
import { Cursor, NumberFromQuery } from '../../input/query.js';
import { channelKinds, type ChannelKind } from './channel.js';
import { AlertmanagerSpecDto, EmailSpecDto, SlackSpecDto, WebhookSpecDto } from './channel-specs.dto.js';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function lowerCase(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value));
}

export class CreateChannelDto {
  @Name({ description: 'What routes call it; it cannot be changed.', example: 'ops' })
  name: string;

  @Choice({ values: channelKinds, description: 'How it tells.', example: 'webhook' })
  kind: ChannelKind;

  @Flag({ optional: true, default: true, description: 'Whether it is used.' })
  enabled: boolean = true;

  @ApiProperty({
    anyOf: [...refs(WebhookSpecDto, SlackSpecDto, EmailSpecDto, AlertmanagerSpecDto), { type: 'object', maxProperties: 0 }],
  })
  @FreeJsonObject({
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

/** Pages of channels and deliveries: newest first, the cursor is an id. */
export class ChannelPageDto {
  @NumberFromQuery()
  @Whole({ min: 1, max: 200, optional: true, default: 50, description: 'At most this many.', example: 50 })
  limit: number = 50;

  @Cursor()
  cursor?: string;
}

export class ChannelIdDto {
  @lowerCase()
  @Matches(uuid, { message: 'must be a channel id, such as 0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b' })
  id: string;
}

function Version(): PropertyDecorator {
  return Whole({ min: 1, max: Number.MAX_SAFE_INTEGER, optional: true, description: 'As the REST header If-Match.' });
}

/* Socket.IO payloads and gRPC messages. */

export class PatchChannelMessage extends PatchChannelDto {
  @lowerCase()
  @Matches(uuid, { message: 'must be a channel id, such as 0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b' })
  id: string;

  @Version()
  version?: number;
}

export class DeleteChannelMessage extends ChannelIdDto {
  @Version()
  version?: number;
}

export class DeliveriesMessage extends ChannelPageDto {
  @lowerCase()
  @Matches(uuid, { message: 'must be a channel id, such as 0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b' })
  id: string;
}
