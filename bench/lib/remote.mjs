// Calls into a process of our own making, over its IPC channel.
import { fork } from 'node:child_process';
import { stopProcess } from './processes.mjs';

const longestCallMs = 300_000;
const running = new Set();

/** For a sudden end: what is cut off from its database has much to say about it. */
export function killRemotes() {
  for (const child of running) child.kill('SIGKILL');
}

/**
 * Forks `program`; `run(name, options)` calls what it serves under that name. `label` stands before its errors. `stdout`: a descriptor;
 * else its stdout is nobody's. What goes wrong is on stderr.
 */
export function openRemote(program, label, stdout = 'ignore') {
  const child = fork(program, { stdio: ['ignore', stdout, 'inherit', 'ipc'] });
  running.add(child);
  const waiting = new Map();
  let calls = 0;
  child.on('message', ({ id, result, error }) => {
    const { resolve, reject } = waiting.get(id) ?? {};
    if (!resolve) return;
    if (error === undefined) resolve(result);
    else reject(new Error(`${label}: ${error}`));
  });
  child.on('exit', (code, signal) => {
    running.delete(child);
    for (const { reject } of waiting.values()) reject(new Error(`${label}: its process ended (${signal ?? code}).`));
  });
  return {
    async run(name, options = {}) {
      if (!child.connected) throw new Error(`${label}: its process has ended.`);
      const id = ++calls;
      const { promise, resolve, reject } = Promise.withResolvers();
      const late = () => reject(new Error(`${label}: ${name} took longer than ${longestCallMs / 1_000} s.`));
      const timer = setTimeout(late, longestCallMs);
      waiting.set(id, { resolve, reject });
      child.send({ id, name, options });
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(id);
      }
    },
    signal: (name) => child.kill(name),
    kill: () => stopProcess(child, 'SIGKILL'),
  };
}

/** The other side: functions by name, each with one argument; ends with its parent. */
export function serve(functions) {
  process.on('message', ({ id, name, options }) => {
    Promise.resolve(options)
      .then(functions[name])
      .then(
        (result) => process.send({ id, result }),
        (error) => process.send({ id, error: error instanceof Error ? error.stack : String(error) }),
      );
  });
  process.on('disconnect', () => process.exit(1));
}
