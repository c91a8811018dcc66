import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openRemote } from '../lib/remote.mjs';

const program = fileURLToPath(new URL('system-process.mjs', import.meta.url));
const longestStopMs = 15_000;

/** Starts one of systems/systems.mjs on `connection`; `run(load, options)` runs a load of load.mjs there and answers its result. */
export async function openSystem({ label, module }, connection) {
  const { run, kill } = openRemote(program, label);
  try {
    await run('start', { module, connection });
  } catch (error) {
    await kill();
    throw error;
  }
  return {
    run,
    async close() {
      // Its database is dropped next: one that does not stop has measured all the same.
      await Promise.race([run('stop').catch(() => undefined), wait(longestStopMs, undefined, { ref: false })]);
      await kill();
    },
  };
}
