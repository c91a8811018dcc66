import { HandlerRegistry } from '../../src/handlers/handlers.js';
import type { Handler } from '../../src/handlers/handler.js';
import { Runner } from '../../src/runner/runner.js';
import type { TestEngine } from './engine.js';

export interface RunnerChanges {
  slots?: number;
  leaseSeconds?: number;
  cancelGraceSeconds?: number;
}

/** A runner with one handler; `resize` changes its slots while it runs. */
export function startRunnerOn(t: TestEngine, handler: Handler<object>, options: RunnerChanges = {}) {
  const errors: [string, unknown][] = [];
  const settings = {
    workerId: 'runner',
    slots: 4,
    leaseSeconds: 30,
    cancelGraceSeconds: 10,
    onError: (message: string, error: unknown) => errors.push([message, error]),
    ...options,
  };
  const runner = new Runner(t.engine, new HandlerRegistry([handler]), t.wakeUps, settings);
  runner.start();
  const resize = (slots: number) => {
    settings.slots = slots;
    runner.wake();
  };
  return { runner, errors, resize };
}
