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
  // The channel tells the server when this process dies, so that it never outlives its launcher unnoticed.
  const server = spawn(localNode(), ['--enable-source-maps', 'dist/main.js', ...args], {
    cwd: root,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  process.on('SIGTERM', () => server.kill('SIGTERM'));
  process.on('SIGHUP', () => server.kill('SIGHUP'));
  process.on('SIGINT', () => {
    // Ctrl-C in a terminal reaches the server by itself; a second signal would read as "stop at once".
    const inTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
    if (!inTerminal) server.kill('SIGINT');
  });
  server.on('error', (error) => {
    console.error(`The server could not be started: ${error.message}`);
    process.exitCode = 1;
  });
  server.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}
