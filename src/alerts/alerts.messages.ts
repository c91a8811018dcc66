import { HistoryPageDto } from '../input/query.js';
import { IdField, Whole } from '../input/fields.js';
import { AcknowledgeDto, AlertFiltersDto, ResolveDto } from './alerts.dto.js';

/*
 * Socket.IO payloads and gRPC messages: the REST bodies, and beside them what REST carries in the path.
 */

export class AlertMessage {
  @IdField('an alert')
  id: string;
}

export class AcknowledgeMessage extends AcknowledgeDto {
  @IdField('an alert')
  id: string;
}

export class ResolveMessage extends ResolveDto {
  @IdField('an alert')
  id: string;
}

export class AlertHistoryMessage extends HistoryPageDto {
  @IdField('an alert')
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
