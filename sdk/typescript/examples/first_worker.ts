// A first worker; Node.js 22.18 or newer runs it as it is: node first_worker.ts
import { Worker } from '@arkitect/sdk';

const worker = new Worker({ name: 'first-worker' });

worker.handle('greet', async ({ name }: { name: string }, context) => {
  context.log('info', `About to greet ${name}`);
  return { greeting: `Hello, ${name}` };
});

// Until Ctrl-C or SIGTERM; what runs then may finish.
await worker.run();
