// A remote worker of the chaos harness, as a user of the TypeScript SDK would write it: remote-worker-program.mjs SDK ADDRESS TOKEN NAME.
import { pathToFileURL } from 'node:url';

const [sdk, address, token, name] = process.argv.slice(2);
const { TaskFailure, Worker } = await import(pathToFileURL(sdk).href);

const worker = new Worker({ address, token, name, slots: 24, logger: { info: () => undefined, warn: (line) => console.log(line) } });

/** Takes as long as its parameters say, tells how far it is, and stops when it is told to. */
worker.handle('remote', async ({ seconds = 0, fail = false }, context) => {
  const steps = 4;
  for (let step = 1; step <= steps; step++) {
    await sleep((seconds * 1_000) / steps, context.signal);
    context.progress((step * 100) / steps);
    context.saveCheckpoint({ step });
  }
  if (fail) throw new TaskFailure('REMOTE_FAILED', 'It was asked to fail.');
  return { slept_seconds: seconds };
});

function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

await worker.run({ limitSeconds: 2 });
