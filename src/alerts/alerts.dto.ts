import { Choice, Decimal, isText, Labels, Name, namePattern, Text, Whole } from '../input/fields.js';
import { AnyOf, Cursor, LabelFilter, NumberFromQuery } from '../input/query.js';
import { alertStatuses, severities, type AlertStatus, type Severity } from './alert.js';

/** A condition that somebody has found; the same name and labels are the same alert while it lasts. */
export class CreateAlertDto {
  @Text({ max: 255, description: 'What is wrong, in a few words; the same for the same condition.', example: 'BackupFailed' })
  name: string;

  @Choice({ values: severities, optional: true, default: 'warning', description: 'How much it matters.', example: 'critical' })
  severity?: Severity;

  @Name({ optional: true, default: 'api', description: 'Who has found it.', example: 'backup' })
  source?: string;

  @Labels({ optional: true, default: {}, description: 'What tells it from others of its name.', example: { host: 'db-1' } })
  labels?: Record<string, string>;

  @Labels({
    optional: true,
    default: {},
    description: 'What people should know of it. Not part of what makes it the same alert.',
    example: { summary: 'The nightly backup ended with an error.' },
  })
  annotations?: Record<string, string>;

  @Text({ max: 2_000, optional: true, description: 'Where to read what to do.', example: 'https://example.com/runbooks/backup' })
  runbook_url?: string;

  @Decimal({ min: -1e300, max: 1e300, optional: true, description: 'What was measured.', example: 17 })
  value?: number;

  @Whole({
    min: 1,
    max: 2_592_000,
    optional: true,
    description: 'Seconds after which it ends by itself, unless it is sent again. Without: it lasts until somebody resolves it.',
    example: 3_600,
  })
  expires_in_seconds?: number;
}

class NoteFields {
  @Text({ max: 1_000, optional: true, description: 'For the history of the alert.', example: 'Looking into it.' })
  note?: string;
}

export class AcknowledgeDto extends NoteFields {
  @Whole({
    min: 1,
    max: 43_200,
    optional: true,
    description: 'Minutes after which the alert is open again. Without: never.',
    example: 60,
  })
  minutes?: number;
}

export class ResolveDto extends NoteFields {}

/** What lists and subscriptions can be narrowed by. All given filters must hold. */
export class AlertFiltersDto {
  @AnyOf({
    description: 'In one of these states.',
    example: 'open',
    values: alertStatuses,
    accepts: alertStatuses.join(', '),
    test: (value) => (alertStatuses as readonly string[]).includes(value),
  })
  status?: AlertStatus[];

  @AnyOf({
    description: 'Of one of these severities.',
    example: 'critical',
    values: severities,
    accepts: severities.join(', '),
    test: (value) => (severities as readonly string[]).includes(value),
  })
  severity?: Severity[];

  @AnyOf({
    description: 'Found by one of these.',
    example: 'api',
    accepts: 'sources',
    test: (value) => namePattern.test(value),
  })
  source?: string[];

  @AnyOf({
    description: 'With exactly one of these names.',
    example: 'BackupFailed',
    accepts: 'names of alerts',
    form: 'NFC',
    test: (value) => value.length > 0 && [...value].length <= 255 && isText(value),
  })
  name?: string[];

  @LabelFilter()
  label?: string[];
}

export class ListAlertsDto extends AlertFiltersDto {
  @NumberFromQuery()
  @Whole({ min: 1, max: 200, optional: true, default: 50, description: 'At most this many.', example: 50 })
  limit: number = 50;

  @Cursor()
  cursor?: string;
}

export class AlertStatsDto {
  @NumberFromQuery()
  @Whole({ min: 1, max: 365, optional: true, default: 30, description: 'Alerts of so many days.', example: 30 })
  days: number = 30;
}
