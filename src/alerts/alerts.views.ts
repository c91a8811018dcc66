import { ApiProperty } from '@nestjs/swagger';
import { alertStatuses, alertSteps, severities, type Alert, type AlertHistoryLine } from './alert.js';
import type { Muting } from './flow/flow.service.js';

/*
 * Answers of /alerts for the OpenAPI document.
 */

const id = '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b';
const time = '2026-11-26T09:00:00.000Z';

const when = (description: string) => ApiProperty({ type: 'string', format: 'date-time', description, example: time });
const maybeWhen = (description: string) => ApiProperty({ type: 'string', format: 'date-time', nullable: true, description, example: null });
const maybeText = (description: string) => ApiProperty({ type: 'string', nullable: true, description, example: null });
const labels = (description: string, example: object) =>
  ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, description, example });

export class AlertView implements Alert {
  @ApiProperty({ type: 'string', format: 'uuid', example: id })
  id: string;

  @ApiProperty({ type: String, example: 'default' })
  tenant_id: string;

  @ApiProperty({
    type: String,
    description: 'Of name and labels: the same condition is the same alert while it lasts.',
    example: '5f2d1c0b9a887766554433221100ffee',
  })
  fingerprint: string;

  @ApiProperty({ type: String, example: 'BackupFailed' })
  name: string;

  @ApiProperty({ type: 'string', enum: [...severities], example: 'critical' })
  severity: Alert['severity'];

  @ApiProperty({ type: 'string', enum: [...alertStatuses], example: 'open' })
  status: Alert['status'];

  @ApiProperty({ type: String, description: 'Who has found it.', example: 'backup' })
  source: string;

  @labels('What tells it from others of its name.', { host: 'db-1' })
  labels: Record<string, string>;

  @labels('What people should know of it.', { summary: 'The nightly backup ended with an error.' })
  annotations: Record<string, string>;

  @maybeText('Where to read what to do.')
  runbook_url: string | null;

  @ApiProperty({ type: 'number', nullable: true, description: 'What was measured.', example: null })
  value: number | null;

  @ApiProperty({ type: String, example: 'anonymous' })
  created_by: string;

  @when('When it was first raised.')
  started_at: string;

  @maybeWhen('It ends then, unless it is sent again.')
  expires_at: string | null;

  @maybeWhen('When somebody has last taken care of it.')
  acknowledged_at: string | null;

  @maybeText('Who that was.')
  acknowledged_by: string | null;

  @maybeWhen('It is open again then.')
  acknowledged_until: string | null;

  @maybeWhen('When it ended.')
  resolved_at: string | null;

  @maybeText('Who ended it; `expiry` when nobody has repeated it.')
  resolved_by: string | null;

  @when('When it last changed.')
  updated_at: string;

  @ApiProperty({ type: 'integer', description: 'Grows with each change.', example: 1 })
  version: number;
}

const ids = (description: string) => ApiProperty({ type: [String], description, example: [] });

export class AlertDetailsView extends AlertView implements Muting {
  @ids('Silences that keep it from being told now.')
  silenced_by: string[];

  @ids('Alerts that keep it from being told now.')
  inhibited_by: string[];
}

export class AlertPageView {
  @ApiProperty({ type: () => [AlertView] })
  items: AlertView[];

  @ApiProperty({
    type: 'string',
    format: 'uuid',
    nullable: true,
    description: '`cursor` of the next page; null on the last one.',
    example: null,
  })
  next_cursor: string | null;
}

class AlertHistoryLineView implements AlertHistoryLine {
  @ApiProperty({ type: 'integer', example: 17 })
  id: number;

  @ApiProperty({ type: 'string', enum: [...alertSteps], example: 'acknowledged' })
  action: AlertHistoryLine['action'];

  @ApiProperty({ type: String, description: 'Who did it; `clock` when its time had come.', example: 'anonymous' })
  by: string;

  @maybeText('What was said of it.')
  note: string | null;

  @when('When it happened.')
  at: string;
}

export class AlertHistoryPageView {
  @ApiProperty({ type: () => [AlertHistoryLineView], description: 'Oldest first.' })
  items: AlertHistoryLineView[];

  @ApiProperty({ type: 'integer', nullable: true, description: '`cursor` of the next page; null on the last one.', example: null })
  next_cursor: number | null;
}

const numbers = (keys: readonly string[], description: string) =>
  ApiProperty({
    type: 'object',
    properties: Object.fromEntries(keys.map((key) => [key, { type: 'integer' as const }])),
    required: [...keys],
    description,
    example: Object.fromEntries(keys.map((key) => [key, 1])),
  });

class NoisyAlertView {
  @ApiProperty({ type: String, example: 'BackupFailed' })
  name: string;

  @ApiProperty({ type: 'integer', example: 3 })
  count: number;
}

export class AlertStatsView {
  @ApiProperty({ type: 'integer', description: 'Alerts of so many days.', example: 30 })
  days: number;

  @numbers(alertStatuses, 'How many there are in each state.')
  by_status: Record<string, number>;

  @numbers(severities, 'How many of those that are not resolved.')
  by_severity: Record<string, number>;

  @ApiProperty({ type: () => [NoisyAlertView], description: 'The ten names with most alerts.' })
  noisiest: NoisyAlertView[];

  @ApiProperty({
    type: 'number',
    nullable: true,
    description: 'Mean seconds from the beginning to the acknowledgement (MTTA); null without any.',
    example: 120,
  })
  mean_seconds_to_acknowledge: number | null;

  @ApiProperty({
    type: 'number',
    nullable: true,
    description: 'Mean seconds from the beginning to the end (MTTR); null without any.',
    example: 1800,
  })
  mean_seconds_to_resolve: number | null;
}
