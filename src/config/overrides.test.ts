import { expect, test } from 'vitest';
import { changesBetween, endedOverrides, isOverAt, withChanges, type ConfigVersion, type Override, type Overrides } from './overrides.js';

const at = (minute: number) => new Date(Date.UTC(2030, 0, 1, 0, minute)).toISOString();
const override = (value: string, version: number, expires_at: string | null = null): Override => ({
  value,
  version,
  by: 'me',
  at: at(0),
  expires_at,
});

/** Versions that set LOG_LEVEL one after the other, on top of nothing. */
function history(...overrides: Override[]): (version: number) => Promise<ConfigVersion | undefined> {
  return async (number) => {
    const index = overrides.findIndex(({ version }) => version === number);
    if (index < 0) return undefined;
    return { changes: { LOG_LEVEL: { from: overrides[index - 1] ?? null, to: overrides[index]! } } } as unknown as ConfigVersion;
  };
}

async function heldAt(minute: number, ...overrides: Override[]): Promise<unknown> {
  const now: Overrides = { LOG_LEVEL: overrides.at(-1)! };
  return (await endedOverrides(now, isOverAt(Date.parse(at(minute))), history(...overrides))).LOG_LEVEL?.value;
}

test('what is not over yet, or never will be, holds', async () => {
  expect(await heldAt(5, override('warn', 1, at(6)))).toBe('warn');
  expect(await heldAt(5, override('warn', 1))).toBe('warn');
});

test('what is over leaves what was before it', async () => {
  expect(await heldAt(6, override('warn', 1, at(6)))).toBeUndefined();
  expect(await heldAt(6, override('error', 1), override('warn', 2, at(6)))).toBe('error');
});

test('what was before it may be over, too, or end later', async () => {
  expect(await heldAt(9, override('error', 1), override('warn', 2, at(5)), override('debug', 3, at(8)))).toBe('error');
  expect(await heldAt(8, override('error', 1), override('warn', 2, at(20)), override('debug', 3, at(8)))).toBe('warn');
});

test('a version that is not kept any more leaves nothing', async () => {
  const gone = async () => undefined;
  expect(await endedOverrides({ LOG_LEVEL: override('warn', 7, at(1)) }, isOverAt(Date.parse(at(2))), gone)).toEqual({});
});

test('changes name what differs, on both sides', () => {
  const [one, two] = [override('warn', 1), override('debug', 2)];
  const before: Overrides = { LOG_LEVEL: one, TASKS_DEFAULT_TYPE: one };
  const after = withChanges(
    before,
    new Map([
      ['LOG_LEVEL', two],
      ['TASKS_DEFAULT_TYPE', null],
      ['LOG_REQUESTS', two],
    ] as const),
  );
  expect(after).toEqual({ LOG_LEVEL: two, LOG_REQUESTS: two });
  expect(changesBetween(before, after)).toEqual({
    LOG_LEVEL: { from: one, to: two },
    LOG_REQUESTS: { from: null, to: two },
    TASKS_DEFAULT_TYPE: { from: one, to: null },
  });
  expect(changesBetween(after, after)).toEqual({});
});
