// npm start: installs and compiles what is missing, then runs the server until it ends.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { ensureBuilt, ensureInstalled, localNode, root, runScript } from './setup.mjs';

await runScript(() => {
  ensureInstalled();
  ensureBuilt();
  runServer(process.argv.slice(2));
});

function runServer(args) {
  const server = spawn(localNode(), ['--enable-source-maps', 'dist/main.js', ...args], {
    cwd: root,
    // The channel tells the server when this process dies, so that it never outlives its launcher unnoticed.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // Its own process group: Ctrl-C and the like reach it through here alone, because to the server a second signal means "at once".
    detached: true,
  });
  passSignalsTo(server);
  server.on('error', (error) => {
    console.error(`The server could not be started: ${error.message}`);
    process.exitCode = 1;
  });
  server.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}

function passSignalsTo(server) {
  let last = Number.NEGATIVE_INFINITY;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // One Ctrl-C can arrive twice: from the terminal and, passed on, from npm.
      if (performance.now() - last > 500) server.kill(signal);
      last = performance.now();
    });
  }
  // npm passes a signal to the shell between us only, which dies of it without a word to us.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    if (last < 0) server.kill('SIGTERM');
  }, 250);
  // Started without npm, it may be meant to outlive the shell (nohup, disown).
  if (!process.env.npm_lifecycle_event) clearInterval(watch);
  watch.unref();
}
