// A process whose handler never ends, to be killed. Says one line when it is connected, and one when the handler has begun.
import { Worker } from '@arkitect/sdk';

const worker = new Worker({ name: 'stuck', logger: { info: () => undefined, warn: () => undefined } });
worker.handle('relay', () => {
  process.stdout.write('begun\n');
  return new Promise(() => undefined);
});
await worker.start();
process.stdout.write('connected\n');
