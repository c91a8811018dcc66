import { describe, expect, test } from 'vitest';
import { loadSettings } from '../settings.js';
import { echo } from './echo.js';
import { TaskFailure, type Handler } from './handler.js';
import { builtInHandlers, checkParameters, HandlerRegistry, readParameters } from './handlers.js';
import { sleep } from './sleep.js';

const { settings } = loadSettings({}, '');

function named(type: string): Handler {
  return { ...echo(), type };
}

describe('the registry', () => {
  test('offers the built-in types by name', () => {
    const registry = new HandlerRegistry(builtInHandlers(settings));
    expect(registry.types()).toEqual(['echo', 'http.request', 'sleep']);
    expect(registry.get('sleep')?.description).toMatch(/^Waits/);
    expect(registry.get('nothing')).toBeUndefined();
    expect(registry.all()).toHaveLength(3);
  });

  test('refuses two handlers of one type', () => {
    expect(() => new HandlerRegistry([named('a.b'), named('a.b')])).toThrow('"a.b" has two handlers');
  });

  test.each(['', 'Echo', '1st', 'a..b', 'a.', '.a', 'a b', 'a/b', 'é', `a${'b'.repeat(100)}`])('refuses the type name %j', (type) => {
    expect(() => new HandlerRegistry([named(type)])).toThrow('is not a valid name');
  });

  test.each(['a', 'report.render', 'x-1.y_2', `a${'b'.repeat(99)}`])('takes the type name %j', (type) => {
    expect(new HandlerRegistry([named(type)]).types()).toEqual([type]);
  });
});

describe('free parameters', () => {
  test('are any JSON object, kept as they are', () => {
    const plain = { constructor: 'x', deep: [{ constructor: 'y' }], seconds: '5' };
    expect(checkParameters(echo(), plain).errors).toEqual([]);
    expect(readParameters(echo(), plain)).toBe(plain);
  });

  test.each([
    ['a list', [], 'parameters', 'must be a JSON object'],
    ['null', null, 'parameters', 'must be a JSON object'],
    ['text', 'x', 'parameters', 'must be a JSON object'],
    ['a prototype key', JSON.parse('{"a":{"__proto__":{}}}'), 'parameters.a.__proto__', 'is a prototype key, which is never accepted'],
    ['a NUL character', { a: ['\0'] }, 'parameters.a[0]', 'must not hold NUL characters or unpaired surrogates'],
    ['an unpaired surrogate', { a: '\ud800' }, 'parameters.a', 'must not hold NUL characters or unpaired surrogates'],
  ])('refuse %s', (_, plain, field, message) => {
    expect(checkParameters(echo(), plain).errors).toEqual([{ field, message }]);
  });

  test('refuse more than 256 KiB of JSON', () => {
    const shell = JSON.stringify({ a: '' }).length;
    expect(checkParameters(echo(), { a: 'x'.repeat(256 * 1024 - shell) }).errors).toEqual([]);
    expect(checkParameters(echo(), { a: 'x'.repeat(256 * 1024 - shell + 1) }).errors[0]?.message).toContain('at most 262144');
  });

  test('refuse more than 32 levels of nesting', () => {
    const nested = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`) as unknown;
    expect(checkParameters(echo(), nested(32)).errors).toEqual([]);
    expect(checkParameters(echo(), nested(33)).errors[0]?.message).toContain('nested too deeply');
  });
});

describe('declared parameters', () => {
  test('are read with their defaults', () => {
    expect(readParameters(sleep(), { seconds: 1.5 })).toEqual({ seconds: 1.5, fail: false });
  });

  test.each([
    [{}, 'parameters.seconds', 'must be a number of seconds from 0 to 86400'],
    [{ seconds: '1' }, 'parameters.seconds', 'must be a number of seconds from 0 to 86400'],
    [{ seconds: null }, 'parameters.seconds', 'must be a number of seconds from 0 to 86400'],
    [{ seconds: -0.1 }, 'parameters.seconds', 'must not be less than 0'],
    [{ seconds: 86_401 }, 'parameters.seconds', 'must not be greater than 86400'],
    [{ seconds: 1, fail: null }, 'parameters.fail', 'must be true or false'],
    [{ seconds: 1, minutes: 1 }, 'parameters.minutes', 'is not a known field; accepted are seconds, fail'],
  ])('refuse %j by field', (plain, field, message) => {
    expect(checkParameters(sleep(), plain).errors).toEqual([{ field, message }]);
  });

  test('that no longer fit at run time fail the attempt for good', () => {
    const read = () => readParameters(sleep(), { seconds: 'soon' });
    expect(read).toThrow(TaskFailure);
    expect(read).toThrow('The parameters do not fit the task type sleep any more: parameters.seconds must be a number');
    expect(read).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETERS', options: { retryable: false } }));
  });
});
