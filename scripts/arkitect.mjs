#!/usr/bin/env node
// npx arkitect …: the command line, compiled when it is stale, on the Node that comes with the dependencies. Stays in the caller's directory.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, isNewEnough, localNode, root, runScript } from './setup.mjs';

const program = join(root, 'dist', 'cli', 'main.js');

await runScript(async () => {
  ensureInstalled();
  ensureBuilt();
  if (isNewEnough()) await import(program);
  else onLocalNode();
});

function onLocalNode() {
  const child = spawn(localNode(), [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C reaches both of us; it is the program's to end.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}
