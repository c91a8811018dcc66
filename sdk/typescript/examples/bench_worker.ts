// Tasks of the type noop per second, until stopped: node bench_worker.ts [slots]
import { Worker } from '@arkitect/sdk';

const slots = Number(process.argv[2] ?? 100);
const worker = new Worker({ name: 'bench-worker', slots });
let sinceLast = 0;
let last = performance.now();

worker.handle('noop', () => {
  sinceLast += 1;
});

const report = setInterval(() => {
  const now = performance.now();
  console.log(`${Math.round((sinceLast * 1_000) / (now - last))} tasks/s`);
  sinceLast = 0;
  last = now;
}, 1_000);
await worker.run();
clearInterval(report);
