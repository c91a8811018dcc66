// npm run demo: a few dozen tasks of all kinds, watched live over Socket.IO. Uses the server that runs, or starts one for itself.
import { randomBytes } from 'node:crypto';
import { ensureInstalled, runScript, SetupError } from './setup.mjs';
import { Board } from './demo/board.mjs';
import { openDoor } from './demo/door.mjs';
import { findOrStartServer } from './demo/server.mjs';
import { finalReport } from './demo/report.mjs';
import { demoTasks } from './demo/tasks.mjs';
import { openScreen } from './demo/screen.mjs';

const patienceMs = 180_000;

await runScript(async () => {
  ensureInstalled();
  const url = `http://127.0.0.1:${process.env.PORT || 8000}`;
  const server = await findOrStartServer(url);
  const screen = openScreen();
  let hurry = false;
  const interrupted = new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => {
        hurry = true;
        reject(new SetupError('Stopped. Tasks that were not finished stay with the server and its database.'));
      });
    }
  });
  try {
    await Promise.race([interrupted, showDemo(url, screen, server)]);
  } finally {
    screen.close();
    await server.stop({ hurry });
  }
});
// An interrupted demo may still hold connections and timers.
process.exit();

async function showDemo(url, screen, server) {
  const run = randomBytes(4).toString('hex');
  const door = await openDoor(url);
  try {
    const specs = demoTasks(url, run);
    const board = new Board(run, url);
    const finished = new Promise((resolve, reject) => {
      const impatience = setTimeout(() => reject(new SetupError(unfinished(board, url))), patienceMs);
      door.onEvent((event) => {
        board.hear(event);
        screen.hear(event, board);
        if (!board.isComplete()) return;
        clearTimeout(impatience);
        resolve();
      });
    });
    await door.subscribe({ label: [`demo=${run}`] });
    screen.open(board);
    const { items } = await door.ask('create_bulk', { tasks: specs.map(({ task }) => task), atomic: true });
    board.plan(items.map(({ task }, index) => ({ id: task.id, ...specs[index] })));
    await cancelSome(door, board);
    await finished;
    screen.close();
    const { text, isAsExpected } = finalReport(board, { url, isOurs: server.isOurs, color: screen.color });
    process.stdout.write(text);
    if (!isAsExpected) process.exitCode = 1;
  } finally {
    door.close();
  }
}

async function cancelSome(door, board) {
  const toCancel = new Set(board.rows.filter((row) => row.cancelWhen === 'running').map(({ id }) => id));
  door.onEvent(({ id, action }) => {
    if (action === 'task_progress' && toCancel.delete(id)) void door.ask('cancel', { id });
  });
  for (const { id, cancelWhen } of board.rows) if (cancelWhen === 'created') await door.ask('cancel', { id });
}

function unfinished(board, url) {
  const rest = board.rows.filter((row) => !row.isFinished).map((row) => `${row.name} (${row.status})`);
  return (
    `After ${patienceMs / 1_000} seconds ${rest.length} tasks are not finished: ${rest.slice(0, 5).join(', ')}${rest.length > 5 ? ' …' : ''}.\n` +
    `The server may be busy with other tasks, or run none (RUNNER_SLOTS=0). Look at ${url}/tasks?label=demo=${board.run} for how they go on.`
  );
}
