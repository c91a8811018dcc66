// A whole replica in a process of its own that also logs as many lines a second as it is told to, by its own logger, in the context of
// a request and with the fields of an answered one: what a busy server with LOG_REQUESTS=all says, without the requests.
import { randomUUID } from 'node:crypto';
import { startServer } from '../../dist/app.js';
import { createLogger } from '../../dist/logger.js';
import { loadSettings } from '../../dist/settings.js';
import { runInContext } from '../../dist/transport/request-context.js';
import { serve } from '../lib/remote.mjs';

const tickMs = 10;

let server;
let logger;
let timer;
let perSecond = 0;
let begun = 0;
let logged = 0;

serve({
  async start({ environment }) {
    const { settings } = loadSettings({ PORT: '0', GRPC_PORT: '0', RUNNER_SLOTS: '0', ...environment }, '');
    logger = createLogger(settings);
    server = await startServer(settings, logger);
    return { url: server.url };
  },
  /** From now on. Answers how many lines were logged since the call before. */
  async log({ lines }) {
    clearInterval(timer);
    const before = logged;
    [perSecond, begun, logged] = [lines, performance.now(), 0];
    if (perSecond > 0) timer = setInterval(catchUp, tickMs);
    return { logged: before };
  },
  async usage() {
    const { user, system } = process.cpuUsage();
    return { cpuSeconds: (user + system) / 1e6, logged, state: server.kernel.logs.state };
  },
  async stop() {
    clearInterval(timer);
    await server.close(AbortSignal.abort());
  },
});

/** As many as are due, however late the timer is. */
function catchUp() {
  const due = Math.floor(((performance.now() - begun) / 1_000) * perSecond);
  runInContext({ request_id: randomUUID() }, () => {
    for (; logged < due; logged++) logger.info(fields(logged), 'Request answered');
  });
}

function fields(number) {
  return {
    tenant: 'default',
    principal: 'root',
    door: 'rest',
    method: 'GET',
    route: '/tasks/:id',
    status: 200,
    duration_ms: (number % 1_000) / 100,
  };
}
