// Our own engine: the product's compiled code, a replica without its doors.
import { randomUUIDv7 } from 'node:crypto';
import { Kernel } from '../../dist/kernel.js';
import { createLogger } from '../../dist/logger.js';
import { loadSettings } from '../../dist/settings.js';

/** Attempts at the same time: two statements of 500. The default of 16 is meant for tasks that do something. */
const slots = 1_000;

const backoff = { kind: 'exponential', delay_seconds: 1, max_delay_seconds: 300, jitter: 0.2 };

export async function start({ host, port, user, database }) {
  const url = `postgresql://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
  const { settings } = loadSettings({ DATABASE_URL: url, RUNNER_SLOTS: String(slots), LOG_LEVEL: 'error' }, '');
  const kernel = await Kernel.start(settings, createLogger(settings));
  return {
    async enqueueOne(parameters) {
      await kernel.engine.enqueueOne(toTask(parameters));
    },
    async enqueueBulk(list) {
      await kernel.engine.enqueue(list.map(toTask));
    },
    async work(onStart) {
      const echo = kernel.handlers.get('echo');
      const run = echo.run.bind(echo);
      echo.run = (context) => {
        onStart(context.task.parameters);
        return run(context);
      };
      kernel.runner.start();
    },
    async unfinished() {
      const statement = `SELECT count(*) AS count FROM tasks WHERE tenant_id = 'default' AND status IN ('queued', 'running')`;
      const [{ count }] = await kernel.database.api.query({ name: 'bench-unfinished', text: statement }, []);
      return Number(count);
    },
    async stop() {
      await kernel.stopRunner();
      await kernel.close();
    },
  };
}

function toTask(parameters) {
  return {
    tenant_id: 'default',
    id: randomUUIDv7(),
    name: 'bench',
    type: 'echo',
    queue: 'default',
    priority: 'medium',
    parameters,
    labels: {},
    max_attempts: 1,
    timeout_seconds: 300,
    backoff,
    run_at: null,
    start: 'auto',
    created_by: 'bench',
  };
}
