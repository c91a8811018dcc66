import { expect, test } from 'vitest';
import { createLogger, NestLogger } from './logger.js';
import { loadSettings } from './settings.js';
import { runInContext } from './transport/request-context.js';

const environment = {
  ADMIN_TOKEN: 'a-root-token-"quoted"',
  DATABASE_URL: 'postgres://me:pass-of-db@localhost/db',
  REDIS_URL: 'redis://:pass-of-first@a,redis://:pass-of-second@b',
  OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=key-of%20otel,x-scope=1',
  LOG_LEVEL: 'debug',
};

function capture(level = 'debug') {
  const text: string[] = [];
  const { settings } = loadSettings({ ...environment, LOG_LEVEL: level }, '/nonexistent');
  const logger = createLogger(settings, { write: (line: string) => void text.push(line) });
  return { logger, text, lines: () => text.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('secrets are removed by key at every depth that we log', () => {
  const { logger, text } = capture();
  logger.info(
    { authorization: 'Bearer abc', token: 'abc', headers: { authorization: 'Bearer abc' }, socket: { auth: { token: 'abc' } } },
    'hello',
  );
  expect(text.join('')).not.toContain('abc');
  expect(text.join('')).toContain('[redacted]');
});

test('the secrets of the settings are removed wherever they turn up', () => {
  const { logger, text } = capture();
  logger.info(`token ${environment.ADMIN_TOKEN}`);
  logger.error(new Error(`cannot connect to ${environment.DATABASE_URL}`));
  logger.warn({ anything: { deep: { deeper: { deepest: 'pass-of-db' } } } });
  logger.warn('AUTH pass-of-first, AUTH pass-of-second');
  logger.warn('401 for key-of otel, sent as key-of%20otel');
  expect(text).toHaveLength(5);
  expect(text.join('')).not.toMatch(/a-root-token|pass-of|key-of/);
  for (const line of text) expect(() => JSON.parse(line) as unknown).not.toThrow();
});

test('secrets are removed at any depth, in lists, in keys of any case, in JSON inside of texts and in URLs', () => {
  const { logger, text, lines } = capture();
  const secret = environment.ADMIN_TOKEN;
  const deep = { a: [{ b: { c: [{ 'Set-Cookie': 'gone-1', lease_token: 'gone-2', clientSecret: { all: 'gone-3' }, kept: 'kept-1' }] } }] };
  logger.info({ deep, [secret]: 'kept-2', list: [secret, `kept-3 ${secret} kept-4`], number: 12 }, 'hello');
  logger.info({ err: new Error(`refused ${JSON.stringify({ given: secret })} kept-5`) });
  logger.info(`https://me:${encodeURIComponent(secret)}@host/kept-6`);
  expect(text.join('')).not.toMatch(/gone-|a-root-token/);
  for (let n = 1; n <= 6; n++) expect(text.join('')).toContain(`kept-${n}`);
  expect(lines()[0]).toMatchObject({ level: 30, time: expect.any(String), number: 12, msg: 'hello' });
});

test('a secret that comes up later is removed from then on', () => {
  const { logger, text } = capture();
  logger.child({ module: 'x' }).info('before: rotated-token-1');
  logger.redactor.add('rotated-token-1');
  logger.child({ module: 'x' }).info({ deep: { text: 'after: rotated-token-1' } });
  expect(text.map((line) => line.includes('rotated-token-1'))).toEqual([true, false]);
});

test('a password of digits leaves lines that can be read', () => {
  const lines: string[] = [];
  const { settings } = loadSettings({ ...environment, DATABASE_URL: 'postgres://me:30@localhost/db' }, '/nonexistent');
  createLogger(settings, { write: (line) => void lines.push(line) }).info({ port: 3000, list: [30] }, 'answer 30');
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 30, msg: 'answer [redacted]', port: '[redacted]', list: ['[redacted]'] });
});

test('the tap has what was logged, warnings before the others, and counts what it leaves out', () => {
  const { logger, lines } = capture();
  logger.tap.limit = 5;
  for (let n = 0; n < 10; n++) logger.info({ n, password: 'gone' }, `line ${n}`);
  for (let n = 0; n < 3; n++) logger.warn(`warning ${n}`);
  const { lines: tapped, left_out } = logger.tap.take();
  expect(tapped.map(({ msg }) => msg)).toEqual(['line 0', 'line 1', 'warning 0', 'warning 1', 'warning 2']);
  expect(tapped[0]).toMatchObject({ level: 30, fields: '{"n":0,"password":"[redacted]"}' });
  expect(left_out).toBe(8);
  expect(logger.tap.isEmpty).toBe(true);
  expect(lines()).toHaveLength(13);
});

test('what is tapped is bounded, and of a kind that a database takes', () => {
  const { logger } = capture();
  logger.info({ big: 'x'.repeat(100_000), ['nul\0']: { deep: 'a\0b \ud800' } }, `long\0 ${'y'.repeat(100_000)}`);
  logger.info({ many: Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key ${index}`, index])) });
  const [one, two] = logger.tap.take().lines;
  expect(one!.msg.length).toBeLessThanOrEqual(4_096);
  expect(one!.msg).toMatch(/^long\ufffd y/);
  const { big, ...rest } = JSON.parse(one!.fields) as Record<string, string>;
  expect(big).toMatch(/^x+…$/);
  expect(rest).toEqual({ 'nul\ufffd': { deep: 'a\ufffdb \ufffd' } });
  for (const line of [one, two]) expect(Buffer.byteLength(line!.fields)).toBeLessThanOrEqual(8_192);
});

test('a line of a request carries its id', () => {
  const { logger, lines } = capture();
  runInContext({ request_id: 'r-1' }, () => logger.info('inside'));
  logger.info('outside');
  expect(lines()).toMatchObject([{ msg: 'inside', request_id: 'r-1' }, { msg: 'outside' }]);
  expect(lines()[1]).not.toHaveProperty('request_id');
});

test('a line of an attempt carries its task and its trace', () => {
  const { logger, lines } = capture();
  const trace = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: null };
  runInContext({ task_id: 't-1', attempt: 2, trace }, () => logger.info('inside'));
  expect(lines()).toEqual([
    expect.objectContaining({ msg: 'inside', task_id: 't-1', attempt: 2, trace_id: '4bf92f3577b34da6a3ce929d0e0e4736' }),
  ]);
  expect(lines()[0]).not.toHaveProperty('request_id');
});

test('of an error is told what all errors say, and not the rows that a driver has put on it', () => {
  const { logger, lines } = capture();
  const error = Object.assign(new Error('duplicate key'), {
    code: '23505',
    detail: 'Key (key)=(a secret)',
    where: 'a secret',
    rows: ['a secret'],
  });
  logger.warn({ err: error }, 'not stored');
  expect(lines()).toMatchObject([{ err: { type: 'Error', message: 'duplicate key', code: '23505', stack: expect.any(String) } }]);
  expect(Object.keys(lines()[0]!.err as object)).toEqual(['type', 'message', 'stack', 'code']);
});

test('less severe lines than LOG_LEVEL are left out', () => {
  const { logger, lines } = capture('warn');
  logger.info('less');
  logger.warn('enough');
  expect(lines()).toMatchObject([{ msg: 'enough' }]);
});

test('what Nest logs keeps its context, level and stack', () => {
  const { logger, lines } = capture();
  const nest = new NestLogger(logger);
  nest.log('started', 'Application');
  nest.error(new TypeError('broken'), undefined, 'Filter');
  nest.error('failed', 'stack of it', 'Loader');
  nest.warn({ some: 'object' }, 'Probe');
  expect(lines()).toMatchObject([
    { level: 30, msg: 'started', context: 'Application' },
    { level: 50, msg: 'broken', context: 'Filter', err: { type: 'TypeError', stack: expect.stringContaining('broken') } },
    { level: 50, msg: 'failed', context: 'Loader', details: ['stack of it'] },
    { level: 40, context: 'Probe', data: { some: 'object' } },
  ]);
});
