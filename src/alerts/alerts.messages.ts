import { Transform } from 'class-transformer';
import { Matches } from 'class-validator';
import { Whole } from '../input/fields.js';
import { AcknowledgeDto, AlertFiltersDto, AlertHistoryDto, ResolveDto } from './alerts.dto.js';

/*
 * Socket.IO payloads and gRPC messages: the REST bodies, and beside them what REST carries in the path.
 */

function AlertId(): PropertyDecorator {
  return (target, key) => {
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value))(target, key);
    Matches(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, {
      message: 'must be an alert id, such as 0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b',
    })(target, key);
  };
}

export class AlertMessage {
  @AlertId()
  id: string;
}

export class AcknowledgeMessage extends AcknowledgeDto {
  @AlertId()
  id: string;
}

export class ResolveMessage extends ResolveDto {
  @AlertId()
  id: string;
}

export class AlertHistoryMessage extends AlertHistoryDto {
  @AlertId()
  id: string;
}

export class SubscribeAlertsMessage extends AlertFiltersDto {
  @Whole({
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    optional: true,
    description: 'The last seq you have seen: what came after it is replayed first.',
  })
  since?: number;
}
