import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { seen, send } from './api.js';
import type { Fault } from './faults.js';
import type { Seen } from './history.js';
import type { Random } from './random.js';
import type { SmallDisk } from './small-disk.js';
import { within } from './within.js';
import type { World } from './world.js';

const refuseMs = 60_000;
const recoverMs = 60_000;

/** Of the disk of an embedded database. */
export function diskFaults(disk: SmallDisk): Fault[] {
  return [
    {
      kind: 'disk full',
      target: 'process',
      inject: (world, random) => whileFull(world, random, disk, async () => undefined),
    },
    {
      kind: 'disk full, also for the WAL',
      target: 'process',
      // Segments are made ahead of time and used again; this uses up what there is, and then PostgreSQL stops in panic.
      inject: (world, random) => whileFull(world, random, disk, () => useUpWal(world)),
    },
  ];
}

/** Creates must be refused while it is full, and accepted soon after there is room. */
async function whileFull(world: World, random: Random, disk: SmallDisk, aggravate: () => Promise<void>): Promise<void> {
  const server = world.replicas[0]!;
  // Without its database the server ends by itself, and says so; whoever started it starts it again, as often as it takes.
  let isOver = false;
  server.expectEnd();
  const managed = server.ended().then(() => (isOver ? undefined : server.start()));
  disk.fill();
  try {
    if (!(await within(refuseMs, async () => !(await createLarge(world))))) wrong(world, 'creates are still accepted by a full disk');
    await aggravate();
    await wait(random.between(1_000, 4_000));
  } finally {
    disk.free();
  }
  if (!(await within(recoverMs, () => createLarge(world)))) {
    wrong(world, `creates are not accepted ${recoverMs / 1_000} s after the disk has room again`);
  }
  isOver = true;
  if (server.url) server.expectEnd(false);
  else await managed;
}

function wrong({ history }: World, what: string): void {
  history.add({ kind: 'wrong', rule: 'full disk', what });
}

async function useUpWal({ query }: World): Promise<void> {
  const deadline = Date.now() + refuseMs;
  // Until the connection breaks. Each switch needs something new to be in the segment before.
  for (;;) {
    if (Date.now() > deadline) return;
    try {
      await query("SELECT pg_logical_emit_message(false, 'chaos', 'x'), pg_switch_wal()");
    } catch {
      return;
    }
  }
}

/** Whether the server accepts much at once. */
async function createLarge({ replicas, history }: World): Promise<boolean> {
  const task = () => ({ name: 'large', start: 'auto', parameters: { text: randomBytes(15_000).toString('base64') } });
  const { url } = replicas[0]!;
  const answer = url ? await send(url, 'POST', '/tasks/bulk', { tasks: Array.from({ length: 20 }, task) }) : 'lost';
  if (answer === 'lost') return false;
  if (answer.status === 503) history.add({ kind: 'refused', why: 'disk full' });
  else if (answer.status !== 201) history.add({ kind: 'unexpected', request: 'POST /tasks/bulk', answer: JSON.stringify(answer) });
  if (answer.status !== 201) return false;
  const { items } = answer.body as { items: { task: Seen }[] };
  history.add({ kind: 'acknowledged', request: 'create', tasks: items.map((item) => seen(item.task)) });
  return true;
}
