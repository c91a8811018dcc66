import { setTimeout as wait } from 'node:timers/promises';

/** Whether `probe` says yes before `ms` milliseconds are over. */
export async function within(ms: number, probe: () => Promise<boolean> | boolean): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (Date.now() < deadline) {
    if (await probe()) return true;
    await wait(200);
  }
  return false;
}
