import { setTimeout as wait } from 'node:timers/promises';
import type { Clients } from './clients.js';

const callers = 64;
const warmUpMs = 5_000;
const measureMs = 5_000;

/** Tasks a second, from create to end, that the server gets done for callers who send the next one as soon as the last has ended. */
export async function measureCapacity(clients: Clients): Promise<number> {
  let isOver = false;
  const calling = Array.from({ length: callers }, async () => {
    while (!isOver) await clients.create();
  });
  await wait(warmUpMs);
  clients.takeLatencies();
  const begun = performance.now();
  await wait(measureMs);
  const done = clients.takeLatencies().length;
  const seconds = (performance.now() - begun) / 1_000;
  isOver = true;
  await Promise.all(calling);
  return done / seconds;
}

const tickMs = 10;

/** Creates `perSecond` tasks, whether or not the earlier ones have ended, until `signal`. */
export async function keepPace(clients: Clients, perSecond: number, signal: AbortSignal): Promise<void> {
  const begun = performance.now();
  for (let sent = 0; !signal.aborted; await wait(tickMs)) {
    const due = Math.floor((performance.now() - begun) * (perSecond / 1_000));
    for (; sent < due; sent++) void clients.create();
  }
}
