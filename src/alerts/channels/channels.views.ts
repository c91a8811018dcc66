import { ApiProperty } from '@nestjs/swagger';
import { channelKinds, deliveryReasons, type ChannelKind, type DeliveryReason } from './channel.js';
import type { ChannelView } from './channel-changes.js';
import type { ChannelTest } from './channels.service.js';
import type { Delivery } from './channels.store.js';

/* What /docs and openapi.json say of channels. The classes are never made: TypeScript checks that they say what the views hold. */

const id = { type: String, format: 'uuid', example: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b' } as const;
const time = (description: string) => ({ type: 'string', format: 'date-time', description, example: '2026-11-22T15:04:05.678Z' }) as const;
const reason = {
  type: 'string',
  enum: [...deliveryReasons, null],
  nullable: true,
  description: 'Why the last attempt failed; null when none did.',
  example: null,
} as const;
const error = { type: String, nullable: true, description: 'The same as a sentence.', example: null } as const;
const cursor = {
  type: String,
  format: 'uuid',
  nullable: true,
  description: 'Send it as `cursor` for the next page.',
  example: null,
} as const;

export class ChannelSchema implements ChannelView {
  @ApiProperty(id)
  id: string;

  @ApiProperty({ type: String, example: 'ops' })
  name: string;

  @ApiProperty({ type: 'string', enum: channelKinds, example: 'webhook' })
  kind: ChannelKind;

  @ApiProperty({ type: Boolean, example: true })
  enabled: boolean;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Secrets are left out; `has_…` says whether there is one.',
    example: { url: 'https://example.com/hook', has_secret: true, has_bearer_token: false },
  })
  spec: Record<string, unknown>;

  @ApiProperty({ type: String, example: 'root' })
  created_by: string;

  @ApiProperty(time('When it was created.'))
  created_at: string;

  @ApiProperty(time('When it was last changed.'))
  updated_at: string;

  @ApiProperty({ type: 'integer', description: 'Grows with each change; also the ETag.', example: 1 })
  version: number;
}

export class ChannelList {
  @ApiProperty({ type: [ChannelSchema] })
  items: ChannelSchema[];

  @ApiProperty(cursor)
  next_cursor: string | null;
}

export class ChannelTestView implements ChannelTest {
  @ApiProperty({ type: Boolean, description: 'Whether the receiver took it.', example: true })
  delivered: boolean;

  @ApiProperty(reason)
  reason: DeliveryReason | null;

  @ApiProperty(error)
  error: string | null;

  @ApiProperty({ type: 'integer', description: 'Milliseconds it took.', example: 42 })
  duration_ms: number;
}

export class DeliveryView implements Delivery {
  @ApiProperty(id)
  id: string;

  @ApiProperty({ type: String, description: 'What is told in order belongs to one group.', example: 'all:{}' })
  group_key: string;

  @ApiProperty({ type: 'string', enum: ['waiting', 'sent', 'failed'], example: 'sent' })
  state: Delivery['state'];

  @ApiProperty({ type: 'string', enum: ['firing', 'resolved'], example: 'firing' })
  status: Delivery['status'];

  @ApiProperty({ type: 'integer', description: 'How many alerts it tells of.', example: 1 })
  alerts: number;

  @ApiProperty({ type: 'integer', example: 1 })
  attempts: number;

  @ApiProperty({ ...time('When it is tried (again), while it waits.'), nullable: true })
  next_at: string | null;

  @ApiProperty(reason)
  reason: DeliveryReason | null;

  @ApiProperty(error)
  error: string | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Milliseconds of the last attempt.', example: 42 })
  duration_ms: number | null;

  @ApiProperty(time('When it was written.'))
  created_at: string;

  @ApiProperty({ ...time('When it arrived.'), nullable: true })
  sent_at: string | null;
}

export class DeliveryList {
  @ApiProperty({ type: [DeliveryView] })
  items: DeliveryView[];

  @ApiProperty(cursor)
  next_cursor: string | null;
}
