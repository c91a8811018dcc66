import { expect, test } from 'vitest';
import { TaskFailure, type HandlerContext } from './handler.js';
import { sleep, type SleepParameters } from './sleep.js';

function start(parameters: SleepParameters, signal = new AbortController().signal, onProgress?: () => void) {
  const reported: number[] = [];
  const context = {
    task: { parameters },
    signal,
    progress(percent: number) {
      reported.push(percent);
      onProgress?.();
    },
  } as unknown as HandlerContext<SleepParameters>;
  return { reported, result: sleep().run(context) };
}

test('a sleep lasts as long as it was told and says so', async () => {
  const began = performance.now();
  const { result } = start({ seconds: 0.05, fail: false });
  const { slept_seconds } = (await result) as { slept_seconds: number };
  expect(slept_seconds).toBeGreaterThanOrEqual(0.05);
  expect(slept_seconds).toBeLessThanOrEqual((performance.now() - began) / 1000 + 0.001);
});

test('a sleep of no seconds ends at once', async () => {
  expect(await start({ seconds: 0, fail: false }).result).toEqual({ slept_seconds: 0 });
});

test('progress grows to 100 in steps of a quarter of a second or more', async () => {
  const { reported, result } = start({ seconds: 0.6, fail: false });
  await result;
  expect(reported.at(-1)).toBe(100);
  expect(reported).toEqual([...reported].sort((a, b) => a - b));
  expect(reported.length).toBeLessThanOrEqual(4);
});

test('an aborted sleep ends at once with the reason of its signal', async () => {
  const controller = new AbortController();
  const reason = new Error('cancelled by the client');
  const { reported, result } = start({ seconds: 86_400, fail: false }, controller.signal);
  controller.abort(reason);
  await expect(result).rejects.toBe(reason);
  expect(reported).toEqual([]);
});

test('a sleep whose signal is aborted already does not begin', async () => {
  const reason = new Error('lease lost');
  await expect(start({ seconds: 86_400, fail: false }, AbortSignal.abort(reason)).result).rejects.toBe(reason);
});

test('a sleep told to fail does so at the end, and may be tried again', async () => {
  const error = await start({ seconds: 0.01, fail: true }).result.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TaskFailure);
  expect(error).toMatchObject({ code: 'SLEEP_FAILED', options: { retryable: true } });
});
