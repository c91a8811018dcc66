import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { configSchema } from './config/config.schema.js';
import { LiveSettings, sourcesOf, textOf } from './live-settings.js';
import { definitionOf, loadSettings, resolveSettings, settingKeys, textsOf, type SettingSources } from './settings.js';

const sources = (rest: Partial<SettingSources> = {}): SettingSources => ({ file: {}, environment: {}, overrides: {}, ...rest });

describe('the registry', () => {
  test.each(settingKeys)('%s: its default is accepted, and so is it by the schema', (key) => {
    const { default: text, parse, secret, scope } = definitionOf(key);
    const value = parse(text);
    expect(value).toBeDefined();
    expect(new Ajv2020({ strict: false, allowUnionTypes: true }).validate(configSchema(), { [key]: value })).toBe(true);
    // So a secret is never in the database, nor in an event.
    if (secret) expect(scope).toBe('env-only');
  });

  test('the schema refuses what the parsers refuse, and names no other settings', () => {
    const validate = new Ajv2020({ strict: false, allowUnionTypes: true }).compile(configSchema());
    for (const wrong of [{ RUNNER_SLOTS: 1001 }, { LOG_LEVEL: 'loud' }, { CORS_ORIGINS: ['*'] }, { MAINTENANCE_MODE: 'yes' }, { NOPE: 1 }])
      expect(validate(wrong), JSON.stringify(wrong)).toBe(false);
    expect(validate({ RUNNER_SLOTS: null, CORS_ORIGINS: ['https://a.example'], MAINTENANCE_MODE: true })).toBe(true);
  });
});

describe('sources', () => {
  test('later ones win, and an empty text is a value only in an override', () => {
    const all = sources({
      file: { CORS_ORIGINS: 'https://a.example', LOG_LEVEL: 'warn' },
      environment: { CORS_ORIGINS: 'https://b.example', LOG_LEVEL: '' },
      overrides: { CORS_ORIGINS: '' },
    });
    expect(textsOf('CORS_ORIGINS', all).map(({ source }) => source)).toEqual(['override', 'environment', '.env', 'default']);
    expect(resolveSettings(all).settings).toMatchObject({ CORS_ORIGINS: [], LOG_LEVEL: 'warn' });
  });

  test('settings that came from elsewhere are the same again', () => {
    const { settings } = loadSettings(
      { CORS_ORIGINS: 'https://a.example,https://b.example', PORT: '9', MAINTENANCE_MODE: 'true' },
      '/nowhere',
    );
    expect(resolveSettings(sourcesOf(settings)).settings).toEqual(settings);
    expect(textOf(settings.CORS_ORIGINS)).toBe('https://a.example,https://b.example');
  });

  test.each([
    [{ METRICS_SAMPLES_HOURS: '200' }, 'METRICS_SAMPLES_HOURS must not be longer than METRICS_MINUTES_DAYS'],
    [{ METRICS_HOURS_DAYS: '3' }, 'METRICS_MINUTES_DAYS must not be longer than METRICS_HOURS_DAYS'],
    [{ GRPC_TLS_KEY_FILE: 'a' }, 'GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE belong together'],
    [{ GRPC_TLS_CLIENT_CA_FILE: 'a' }, 'GRPC_TLS_CLIENT_CA_FILE needs'],
    [{ HTTP_ALLOW_HOSTS: 'a,10.0.0.0/99' }, 'HTTP_ALLOW_HOSTS is "a,10.0.0.0/99", but must be entries separated by commas'],
  ])('%j contradict each other', (environment, message) => {
    expect(() => loadSettings(environment, '/nowhere')).toThrow(message);
  });
});

describe('live settings', () => {
  test('a live one changes for those who read it, and tells those who listen; another waits for the next start', () => {
    const live = new LiveSettings(sources());
    const { values } = live;
    const told: string[] = [];
    live.onChange(['LOG_LEVEL'], () => told.push(values.LOG_LEVEL));
    const stop = live.onChange(['RUNNER_SLOTS'], () => told.push('never'));
    stop();
    live.override({ LOG_LEVEL: 'debug', RUNNER_SLOTS: '3', ENGINE_LEASE_SECONDS: '60' });
    expect(values).toMatchObject({ LOG_LEVEL: 'debug', RUNNER_SLOTS: 3, ENGINE_LEASE_SECONDS: 30 });
    expect(live.wanted('ENGINE_LEASE_SECONDS')).toBe(60);
    expect(live.waiting).toEqual(['ENGINE_LEASE_SECONDS']);
    live.override({});
    expect(told).toEqual(['debug', 'info']);
    expect(live.waiting).toEqual([]);
  });

  test('nobody changes them from outside', () => {
    expect(() => Object.assign(new LiveSettings(sources()).values, { LOG_LEVEL: 'x' })).toThrow(TypeError);
  });

  test('overrides that it cannot take are left out, and the rest holds', () => {
    const overrides = { RUNNER_SLOTS: '9999', LOG_LEVEL: 'warn', METRICS_MINUTES_DAYS: '1', NOT_ONE_OF_OURS: '1' };
    const live = new LiveSettings(sources({ environment: { METRICS_SAMPLES_HOURS: '48' }, overrides }));
    expect(live.values).toMatchObject({ RUNNER_SLOTS: 16, LOG_LEVEL: 'warn', METRICS_MINUTES_DAYS: 7 });
    expect(live.refused).toEqual(['RUNNER_SLOTS', 'METRICS_MINUTES_DAYS']);
    live.override({});
    expect(live.refused).toEqual([]);
  });

  test('a file with something wrong changes nothing', () => {
    const live = new LiveSettings(sources({ file: { LOG_LEVEL: 'warn' } }));
    expect(live.replaceFile({ LOG_LEVEL: 'loud', RUNNER_SLOTS: '1' })).toMatchObject([{ keys: ['LOG_LEVEL'], got: 'loud' }]);
    expect(live.values).toMatchObject({ LOG_LEVEL: 'warn', RUNNER_SLOTS: 16 });
    live.override({ LOG_LEVEL: 'error' });
    expect(live.replaceFile({ LOG_LEVEL: 'loud' }), 'also what an override hides').toMatchObject([{ keys: ['LOG_LEVEL'] }]);
    live.override({});
    expect(live.replaceFile({ RUNNER_SLOTS: '1' })).toEqual([]);
    expect(live.values).toMatchObject({ LOG_LEVEL: 'info', RUNNER_SLOTS: 1 });
  });
});
