import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root, SetupError } from '../setup.mjs';

const startWithinMs = 300_000;

/** The server at `url`, or one of our own that `stop` ends again, with `hurry` in the midst of its attempts. */
export async function findOrStartServer(url) {
  const found = await probe(url);
  if (found === 'ready') return { isOurs: false, stop: async () => undefined };
  if (found === 'other') {
    throw new SetupError(
      `Something answers at ${url}, but it is not a server that is ready. Wait for it, stop it, or choose another port: PORT=8001 npm run demo`,
    );
  }
  return startServer(url);
}

/** `nobody`, `other`, or `ready`. */
async function probe(url) {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) });
    const { status } = await response.json();
    return response.ok && (status === 'ok' || status === 'degraded') ? 'ready' : 'other';
  } catch (error) {
    return error.cause?.code === 'ECONNREFUSED' ? 'nobody' : 'other';
  }
}

async function startServer(url) {
  process.stdout.write(`No server at ${url}: starting one for this demo…\n`);
  const child = spawn(process.execPath, [join(root, 'scripts/start.mjs')], {
    cwd: root,
    env: { ...process.env, PORT: new URL(url).port, GRPC_PORT: '0', LOG_LEVEL: process.env.LOG_LEVEL || 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output = (output + text).slice(-4_000)));
  const ended = once(child, 'exit');
  let running = true;
  void ended.then(() => (running = false));
  const stop = async ({ hurry = false } = {}) => {
    if (running) child.kill('SIGTERM');
    // The first signal lets running attempts finish; the second must come late enough not to pass for an echo of it.
    const again = hurry ? setTimeout(() => child.kill('SIGTERM'), 1_500) : undefined;
    await ended;
    clearTimeout(again);
  };
  const killed = () => child.kill('SIGTERM');
  process.once('SIGINT', killed).once('SIGTERM', killed);
  try {
    for (const deadline = Date.now() + startWithinMs; running && Date.now() < deadline;) {
      if ((await probe(url)) === 'ready') return { isOurs: true, stop };
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    process.off('SIGINT', killed).off('SIGTERM', killed);
  }
  await stop();
  throw new SetupError(`The server for the demo did not start. It said:\n\n${output.trim() || '(nothing)'}`);
}
