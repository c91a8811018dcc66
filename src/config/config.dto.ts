import { Choice, Flag, FreeJsonObject, Text, Whole } from '../input/fields.js';
import { NumberFromQuery } from '../input/query.js';

const maxBoxSeconds = 2_592_000;

export class SetConfigDto {
  @FreeJsonObject({
    description: 'Values by the names of settings, as GET /config/schema describes them; null takes an override away.',
    example: { LOG_LEVEL: 'debug' },
  })
  changes: Record<string, unknown>;

  @Text({ max: 500, optional: true, description: 'Why, for those who read the history.', example: 'Looking for lost webhooks' })
  reason?: string;

  @Whole({
    min: 1,
    max: maxBoxSeconds,
    optional: true,
    description: 'After so long the change takes itself back, also when every replica was restarted meanwhile. Absent: it stays.',
    example: 900,
  })
  expires_in_seconds?: number;

  @Flag({ optional: true, default: false, description: 'Only say what would change.' })
  dry_run: boolean = false;
}

export class RollbackConfigDto {
  @Whole({
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    description: 'Everything as it was with this version; 0: no override at all.',
    example: 3,
  })
  version: number;

  @Text({ max: 500, optional: true, description: 'Why, for those who read the history.', example: 'Worse than before' })
  reason?: string;

  @Flag({ optional: true, default: false, description: 'Only say what would change.' })
  dry_run: boolean = false;
}

export class DryRunDto {
  @Choice({ values: ['true', 'false'], optional: true, description: 'As `dry_run` of the body.' })
  dry_run?: 'true' | 'false';
}

export class ConfigHistoryDto {
  @NumberFromQuery()
  @Whole({ min: 1, max: 200, optional: true, default: 50, description: 'At most this many.', example: 50 })
  limit: number = 50;

  @NumberFromQuery()
  @Whole({ min: 1, max: Number.MAX_SAFE_INTEGER, optional: true, description: 'The `next_cursor` of the page before.', example: 17 })
  cursor?: number;
}

/* Socket.IO payloads and gRPC messages. */

const ifMatch = { min: 0, max: Number.MAX_SAFE_INTEGER, optional: true, description: 'As the REST header If-Match.' };

export class SetConfigMessage extends SetConfigDto {
  @Whole(ifMatch)
  version?: number;
}

export class RollbackConfigMessage extends RollbackConfigDto {
  @Whole(ifMatch)
  current_version?: number;
}

export class ConfigVersionMessage {
  @Whole({ min: 1, max: Number.MAX_SAFE_INTEGER, description: 'The version.', example: 3 })
  version: number;
}

export class SubscribeConfigMessage {
  @Whole({
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    optional: true,
    description: 'The last seq you have seen: what came after it is replayed first.',
  })
  since?: number;
}
