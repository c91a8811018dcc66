// Remote workers of the TypeScript SDK, and a client, in a process of their own. See ../suites/workers.mjs.
import { setTimeout as wait } from 'node:timers/promises';
import { Client, Worker } from '../../sdk/typescript/dist/index.js';
import { serve } from '../lib/remote.mjs';
import { percentile } from '../lib/statistics.mjs';

const quiet = { info: () => undefined, warn: (message) => console.error(message) };
const workers = [];
let onStart = () => undefined;
let address;

serve({
  /** `count` workers with `slots` each. */
  async start({ url, count, slots }) {
    address = url;
    for (let index = 0; index < count; index++) {
      const worker = new Worker({ address: url, slots, name: `bench-${index}`, logger: quiet });
      worker.handle('noop', async (parameters) => onStart(parameters));
      workers.push(worker);
    }
    await Promise.all(workers.map((worker) => worker.start()));
    return {};
  },
  /** `rate` tasks a second; milliseconds from the call that creates one to the start of its handler. */
  async paced({ rate, seconds }) {
    const client = new Client({ address });
    const latencies = [];
    const tasks = Math.max(1, Math.round(rate * seconds));
    const { promise: all, resolve } = Promise.withResolvers();
    onStart = ({ at }) => {
      latencies.push(performance.now() - at);
      if (latencies.length === tasks) resolve();
    };
    const begun = performance.now();
    const creates = [];
    for (let sent = 0; sent < tasks; sent++) {
      await wait(Math.max(0, begun + (sent * 1_000) / rate - performance.now()));
      creates.push(client.create({ name: 'bench', type: 'noop', start: 'auto', parameters: { at: performance.now() } }));
    }
    await Promise.all(creates);
    await all;
    client.close();
    return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
  },
  async stop() {
    await Promise.all(workers.map((worker) => worker.stop({ limitSeconds: 5 })));
    return {};
  },
});
