// Remote workers of the TypeScript SDK, and a client, in a process of their own. See ../suites/workers.mjs.
import { setTimeout as wait } from 'node:timers/promises';
import { Client, Worker } from '../../sdk/typescript/dist/index.js';
import { until } from '../lib/processes.mjs';
import { serve } from '../lib/remote.mjs';
import { percentile } from '../lib/statistics.mjs';

const quiet = { info: () => undefined, warn: (message) => console.error(message) };
const workers = [];
let onStart = () => undefined;
/** When tasks that hold on until they are told to stop began, and when they were told; milliseconds since the epoch, by their number. */
const begun = new Map();
const stopped = new Map();
const now = () => performance.timeOrigin + performance.now();
let address;

serve({
  /** `count` workers with `slots` each. */
  async start({ url, count, slots }) {
    address = url;
    for (let index = 0; index < count; index++) {
      const worker = new Worker({ address: url, slots, name: `bench-${index}`, logger: quiet });
      worker.handle('noop', async (parameters) => onStart(parameters));
      worker.handle('hold', hold);
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
  /** Creates `tasks` that hold on, and waits until all of them have begun here. */
  async hold({ tasks }) {
    const client = new Client({ address });
    for (let n = 0; n < tasks; n++) await client.create({ name: 'bench', type: 'hold', start: 'auto', parameters: { n } });
    client.close();
    await until(() => begun.size === tasks, { what: `${tasks} tasks to begin` });
    return {};
  },
  /** When the last of `tasks` began here. */
  async lastBegin({ tasks }) {
    await until(() => begun.size === tasks, { what: `${tasks} tasks to begin` });
    return Math.max(...begun.values());
  },
  /** `rate` cancels a second of tasks that run here; milliseconds from the call to the signal of the handler. */
  async cancels({ rate, tasks }) {
    const client = new Client({ address });
    const asked = [];
    const ids = [];
    for (let n = 0; n < tasks; n++) ids.push((await client.create({ name: 'bench', type: 'hold', start: 'auto', parameters: { n } })).id);
    await until(() => begun.size === tasks, { what: `${tasks} tasks to begin` });
    const first = now();
    const calls = [];
    for (const [n, id] of ids.entries()) {
      await wait(Math.max(0, first + (n * 1_000) / rate - now()));
      asked[n] = now();
      calls.push(client.cancel(id));
    }
    await Promise.all(calls);
    await until(() => stopped.size === tasks, { what: `${tasks} tasks to be told to stop` });
    client.close();
    const latencies = asked.map((at, n) => stopped.get(n) - at);
    return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
  },
  async stop() {
    await Promise.all(workers.map((worker) => worker.stop({ limitSeconds: 5 })));
    return {};
  },
});

function hold({ n }, { signal }) {
  begun.set(n, now());
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      stopped.set(n, now());
      reject(signal.reason);
    });
  });
}
