import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { buildWorld, type Stage } from './build-world.js';
import { check } from './checker.js';
import { History } from './history.js';
import { interruption } from './interruption.js';
import { Load } from './load.js';
import { Nemesis } from './nemesis.js';
import { readOptions, usage, type Options } from './options.js';
import { Random } from './random.js';
import { report, tooLittle } from './report.js';
import { settle } from './settle.js';
import { readStored } from './stored.js';
import { Watcher } from './watcher.js';

/** Load without faults before the first and after the last, so that there is something to break and to resume. */
const calmMs = 2_000;

/** A whole run. Resolves with the exit code: 0 when the run proved something and nothing was violated. */
export async function main(root: string, args: string[]): Promise<number> {
  let options: Options;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  console.log(`Seed ${options.seed}: ${options.minutes} minutes of faults.`);
  const directory = mkdtempSync(join(tmpdir(), 'arkitect-chaos-'));
  const history = new History();
  let stage: Stage | undefined;
  let isGood = false;
  try {
    stage = await buildWorld(root, directory, options, history);
    isGood = await Promise.race([play(options, stage, history, directory), interruption()]);
    return isGood ? 0 : 1;
  } catch (error) {
    await stage?.destroy();
    throw error;
  } finally {
    if (isGood && !options.keep) rmSync(directory, { recursive: true, force: true });
    else keep(history, directory);
  }
}

function keep(history: History, directory: string): void {
  rmSync(join(directory, 'build'), { recursive: true, force: true });
  history.writeTo(join(directory, 'history.jsonl'));
  console.log(`What clients saw (history.jsonl), what the database held, and what both printed, is kept in ${directory}`);
}

async function play(options: Options, stage: Stage, history: History, directory: string): Promise<boolean> {
  const { world, decks } = stage;
  const random = new Random(options.seed);
  const nemeses = decks.map((deck) => new Nemesis(world, random.fork(), deck));
  const load = new Load(world, random.fork());
  // One that changes replicas all the time, and one that stays until it is cut off.
  const watchers = [
    new Watcher('hopper', world, random.fork(), [1_000, 5_000]),
    new Watcher('stayer', world, random.fork(), [20_000, 40_000]),
  ];
  const watching = Promise.all(watchers.map((watcher) => watcher.run()));
  const loading = load.run();
  await wait(calmMs);
  await Promise.all(nemeses.map((nemesis) => nemesis.run(options.minutes * 60_000)));
  await wait(calmMs);
  load.stop();
  await loading;
  await settle(world, random.fork(), watchers);
  for (const watcher of watchers) watcher.stop();
  await watching;
  const stored = await readStored(world.query);
  writeFileSync(join(directory, 'events.jsonl'), stored.events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  await stage.stop();
  const violations = check(history.entries, stored);
  const run = {
    options,
    world,
    history,
    stored,
    violations,
    injected: new Map(nemeses.flatMap((nemesis) => [...nemesis.injected])),
    kinds: decks.flatMap((deck) => deck.faults).length,
    requests: load.requests,
  };
  console.log(report(run));
  const missing = tooLittle(run);
  for (const sentence of missing) console.log(`Too little: ${sentence}.`);
  return violations.length === 0 && missing.length === 0;
}
