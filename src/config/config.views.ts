import { ApiProperty } from '@nestjs/swagger';
import { settingKeys, type SettingKey, type SourceName } from '../settings.js';
import type { SettingValue } from '../live-settings.js';
import { anyJson } from '../transport/openapi.js';
import type {
  AppliedAnswer,
  ChangeAnswer,
  ChangedAnswer,
  ConfigAnswer,
  EffectAnswer,
  SettingAnswer,
  SourceAnswer,
  VersionAnswer,
} from './config-answers.js';
import type { Acknowledgement } from './config.store.js';

/* What /docs and openapi.json say of the configuration. The classes are never made: TypeScript checks that they say what the answers hold. */

const value = (description: string, example: unknown) => ApiProperty({ ...anyJson, description, example });
const maybeWhen = (description: string) => ApiProperty({ type: 'string', format: 'date-time', nullable: true, description, example: null });
const maybeText = (description: string, example: string | null) => ApiProperty({ type: 'string', nullable: true, description, example });
const maybeVersion = (description: string) => ApiProperty({ type: 'integer', nullable: true, description, example: null });
const key = () => ApiProperty({ type: 'string', enum: settingKeys, example: 'LOG_LEVEL' });
const texts = (description: string, example: string[] = []) => ApiProperty({ type: [String], description, example });
const sources: SourceName[] = ['default', '.env', 'environment', 'override'];

class SettingSourceView implements SourceAnswer {
  @ApiProperty({ type: 'string', enum: sources, example: 'default' })
  source: SourceName;

  @value('Null for a secret.', 'info')
  value: SettingValue | null;

  @ApiProperty({ type: Boolean, description: 'Of a secret: whether there is one.', example: true })
  has_value: boolean;
}

class SettingView extends SettingSourceView implements SettingAnswer {
  @key()
  key: SettingKey;

  @ApiProperty({ type: 'string', enum: ['live', 'restart'], description: 'When a change takes effect.', example: 'live' })
  effect: 'live' | 'restart';

  @ApiProperty({
    type: 'string',
    enum: ['env-only', 'run-time'],
    description: '`env-only`: never changed at run time.',
    example: 'run-time',
  })
  scope: 'env-only' | 'run-time';

  @ApiProperty({ type: Boolean, example: false })
  secret: boolean;

  @ApiProperty({ type: Boolean, description: 'This replica works with another value until its next start.', example: false })
  restart_needed: boolean;

  @value('What this replica works with; null for a secret.', 'info')
  running_value: SettingValue | null;

  @maybeVersion('The version that set it, of an override.')
  version: number | null;

  @maybeText('Who set it.', null)
  set_by: string | null;

  @maybeWhen('When it was set.')
  set_at: string | null;

  @maybeWhen('When it ends by itself.')
  expires_at: string | null;

  @ApiProperty({ type: () => [SettingSourceView], description: 'What other sources say, the strongest first.' })
  hides: SettingSourceView[];
}

export class ConfigView implements ConfigAnswer {
  @ApiProperty({ type: 'integer', description: 'Grows with each change; also the ETag. 0: nobody has changed anything.', example: 1 })
  version: number;

  @ApiProperty({ type: String, description: 'The replica that answers.', example: 'host-4711-1f0c3a5e' })
  replica_id: string;

  @ApiProperty({ type: () => [SettingView] })
  settings: SettingView[];
}

class ChangeView implements ChangeAnswer {
  @key()
  key: SettingKey;

  @value('Null: no override.', null)
  from: SettingValue | null;

  @value('Null: no override.', 'debug')
  to: SettingValue | null;
}

class EffectView implements EffectAnswer {
  @key()
  key: SettingKey;

  @value('What holds without the change.', 'info')
  from: SettingValue | null;

  @value('What holds with it.', 'debug')
  to: SettingValue | null;

  @ApiProperty({ type: 'string', enum: ['live', 'restart', 'not'], description: '`not`: the value stays the same.', example: 'live' })
  takes_effect: 'live' | 'restart' | 'not';
}

export class ChangedConfigView implements ChangedAnswer {
  @ApiProperty({ type: Boolean, example: false })
  dry_run: boolean;

  @ApiProperty({ type: 'integer', description: 'The version that holds now, or that it would be.', example: 2 })
  version: number;

  @ApiProperty({ type: () => [ChangeView], description: 'Overrides that have changed.' })
  changes: ChangeView[];

  @ApiProperty({ type: () => [EffectView], description: 'What that does to the values.' })
  effects: EffectView[];

  @texts('Replicas on which something takes effect at once.', ['host-4711-1f0c3a5e'])
  live_on: string[];

  @texts('Replicas that need a restart for some of it.')
  restart_on: string[];

  @maybeWhen('When it takes itself back.')
  expires_at: string | null;
}

class ConfigVersionView implements VersionAnswer {
  @ApiProperty({ type: 'integer', example: 1 })
  version: number;

  @ApiProperty({ type: 'string', format: 'date-time', example: '2026-12-01T06:00:00.000Z' })
  at: string;

  @ApiProperty({ type: String, description: '`clock`: a time-boxed change has ended.', example: 'root' })
  by: string;

  @maybeText('Why.', 'Looking for lost webhooks')
  reason: string | null;

  @maybeWhen('When it takes itself back.')
  expires_at: string | null;

  @maybeVersion('The version that ended with this one.')
  reverted_from: number | null;

  @maybeVersion('The version that this one goes back to.')
  rolled_back_to: number | null;

  @ApiProperty({ type: () => [ChangeView] })
  changes: ChangeView[];
}

export class ConfigHistoryView {
  @ApiProperty({ type: () => [ConfigVersionView], description: 'Newest first.' })
  items: ConfigVersionView[];

  @ApiProperty({ type: 'integer', nullable: true, description: '`cursor` of the next page; null on the last one.', example: null })
  next_cursor: number | null;
}

class AcknowledgementView implements Acknowledgement {
  @ApiProperty({ type: String, example: 'host-4711-1f0c3a5e' })
  replica_id: string;

  @maybeWhen('Since when it applies this version, or a later one; null: not yet.')
  applied_at: string | null;

  @maybeVersion('What it applies now.')
  version: number | null;

  @texts('Settings that wait for its next start.')
  restart_keys: string[];

  @texts('Settings that its own environment does not allow.')
  refused_keys: string[];
}

export class AppliedVersionView extends ConfigVersionView implements AppliedAnswer {
  @ApiProperty({
    type: 'object',
    additionalProperties: anyJson,
    description: 'All that was overridden.',
    example: { LOG_LEVEL: 'debug' },
  } as object)
  overrides: Record<string, SettingValue>;

  @ApiProperty({ type: () => [AcknowledgementView], description: 'Replicas that run.' })
  replicas: AcknowledgementView[];

  @ApiProperty({ type: Boolean, description: 'Whether all of them apply it.', example: true })
  complete: boolean;
}
