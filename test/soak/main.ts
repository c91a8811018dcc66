import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { History, ofKind } from '../chaos/history.js';
import { interruption } from '../chaos/interruption.js';
import { within } from '../chaos/within.js';
import { Clients } from './clients.js';
import { readOptions, usage, type Options } from './options.js';
import { keepPace, measureCapacity } from './pace.js';
import { takeSample, type Sample } from './sample.js';
import { startServer, type Server } from './server.js';
import { heading, line, table } from './table.js';
import { compare, grown, longMinutes, memorySlope } from './verdict.js';

const drainMs = 120_000;

/** A whole run. Resolves with the exit code: 0 when nothing was lost and nothing has grown. */
export async function main(root: string, args: string[]): Promise<number> {
  let options: Options;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  const directory = mkdtempSync(join(tmpdir(), 'arkitect-soak-'));
  const history = new History();
  let server: Server | undefined;
  try {
    server = await startServer(root, directory, options.embedded, history);
    const problems = await Promise.race([soak(options, server), interruption()]);
    await server.stop();
    problems.push(...ofKind(history.entries, 'wrong').map(({ what }) => what));
    for (const problem of problems) console.log(`Not flat: ${problem}.`);
    if (!problems.length) console.log(praise(options.minutes));
    return problems.length ? 1 : 0;
  } catch (error) {
    server?.destroy();
    throw error;
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

function praise(minutes: number): string {
  const what =
    minutes >= longMinutes ? 'Flat: the second half is as the first' : 'Nothing grew to a multiple, which is all a short run can tell';
  return `${what}; every task came to its end.`;
}

/** Resolves with a sentence about everything that was lost or has grown. */
async function soak({ minutes, share }: Options, server: Server): Promise<string[]> {
  const clients = new Clients(server.url);
  const capacity = await measureCapacity(clients);
  const perSecond = capacity * share;
  console.log(`${minutes} minutes on ${server.database}: capacity ${capacity.toFixed(0)} tasks/s, pace ${perSecond.toFixed(0)} tasks/s.`);
  const stopping = new AbortController();
  const pacing = keepPace(clients, perSecond, stopping.signal);
  const samples = await takeSamples(server, clients, minutes);
  stopping.abort();
  await pacing;
  await within(drainMs, () => clients.outstanding === 0);
  const comparisons = compare(samples, perSecond, minutes);
  console.log(`\n${table(comparisons)}`);
  console.log(`Resident memory: ${memorySlope(samples).toFixed(0)} MB an hour.`);
  const lost = await lostTasks(server, clients);
  await clients.close();
  return [...lost, ...grown(comparisons)];
}

/** About 60 samples in two minutes, one in ten seconds of a longer run; a line for about every twelfth part of it. */
async function takeSamples(server: Server, clients: Clients, minutes: number): Promise<Sample[]> {
  const everyMs = Math.min(10_000, minutes * 1_000);
  const samples: Sample[] = [];
  const begun = performance.now();
  clients.takeLatencies();
  console.log(heading);
  for (let next = everyMs; next <= minutes * 60_000; next += everyMs) {
    await wait(Math.max(0, begun + next - performance.now()));
    samples.push(await takeSample(server, clients, begun, samples.at(-1)));
    if (samples.length % Math.ceil((minutes * 5_000) / everyMs) === 0) console.log(line(samples.at(-1)!));
  }
  return samples;
}

/** Every create was answered with a task that had ended, and the database says the same. */
async function lostTasks({ query }: Server, { acknowledged, outstanding, failures }: Clients): Promise<string[]> {
  const [stored] = await query<{ completed: number; others: number }>(
    `SELECT count(*) FILTER (WHERE status = 'completed')::int AS completed, count(*) FILTER (WHERE status <> 'completed')::int AS others
     FROM tasks`,
  );
  const { completed, others } = stored!;
  console.log(`Tasks: ${acknowledged} acknowledged, ${completed} completed, ${others} not.`);
  const problems = [...failures].map(([what, count]) => `${count} creates were answered otherwise: ${what}`);
  if (completed < acknowledged) problems.push(`${acknowledged} tasks were acknowledged, and ${completed} are completed`);
  if (others) problems.push(`${others} tasks have not come to their end`);
  if (outstanding) problems.push(`${outstanding} creates had no answer ${drainMs / 1_000} s after the load`);
  return problems;
}
