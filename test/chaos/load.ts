import { setTimeout as wait } from 'node:timers/promises';
import { seen, send, type Answer } from './api.js';
import type { Seen } from './history.js';
import type { Random } from './random.js';
import { keyLabel } from './stored.js';
import type { World } from './world.js';

const clients = 12;
/** Each client waits this long after an answer; together a few dozen requests a second. */
const pauseMs = [150, 500] as const;
const sendsOfOneKey = 8;

/** Clients of REST that create, execute, cancel and retry tasks on whatever replica they find, until stopped. */
export class Load {
  /** Requests by how they ended. */
  readonly requests = { answered: 0, refused: 0, unavailable: 0, lost: 0 };
  private readonly world: World;
  private readonly random: Random;
  /** Ids that commands may be tried on; the oldest leave. */
  private readonly recent: string[] = [];
  private stopped = false;
  private keys = 0;

  constructor(world: World, random: Random) {
    this.world = world;
    this.random = random;
  }

  async run(): Promise<void> {
    const workers = Array.from({ length: clients }, async () => {
      const random = this.random.fork();
      while (!this.stopped) {
        await this.step(random);
        await wait(random.between(...pauseMs));
      }
    });
    await Promise.all(workers);
  }

  stop(): void {
    this.stopped = true;
  }

  private async step(random: Random): Promise<void> {
    const draw = random.next();
    if (draw < 0.5) await this.create(random, 1);
    else if (draw < 0.58) await this.create(random, random.whole(2, 8));
    else if (draw < 0.8) await this.command(random, 'cancel');
    else await this.command(random, 'retry');
  }

  private async create(random: Random, size: number): Promise<void> {
    // A key that is sent twice at once is the hardest to take for one.
    const sent = random.chance(0.4) ? random.pick([1, 1, 2]) : 0;
    const key = sent ? `key-${++this.keys}` : undefined;
    const tasks = Array.from({ length: size }, () => newTask(random, this.world.workers.length > 0, key));
    const [path, body] = size === 1 ? ['/tasks', tasks[0]] : ['/tasks/bulk', { tasks }];
    if (!key) return void (await this.tryCreate(random, path, body));
    this.world.history.add({ kind: 'asked', key, size });
    await Promise.all(Array.from({ length: sent }, () => this.createWithKey(random, path, body, key)));
  }

  /** Without an answer the same request goes to any replica again, which is what the key is for. */
  private async createWithKey(random: Random, path: string, body: unknown, key: string): Promise<void> {
    for (let sends = 0; sends < sendsOfOneKey && !this.stopped; sends++) {
      if (await this.tryCreate(random, path, body, key)) return;
      await wait(random.between(100, 1_000));
    }
  }

  private async tryCreate(random: Random, path: string, body: unknown, key?: string): Promise<boolean> {
    const answer = await this.ask(random, path, body, key);
    if (answer === 'lost' || answer.status === 503) return false;
    if (answer.status !== 201) return true;
    const { items } = answer.body as { items?: { task: Seen }[] };
    const tasks = items ? items.map((item) => seen(item.task)) : [seen(answer.body)];
    this.world.history.add({ kind: 'acknowledged', request: 'create', ...(key && { key }), tasks });
    this.recent.push(...tasks.map((task) => task.id));
    this.recent.splice(0, this.recent.length - 150);
    for (const task of tasks) if (task.status === 'pending' && random.chance(0.8)) await this.command(random, 'execute', task.id);
    return true;
  }

  async command(random: Random, command: 'execute' | 'cancel' | 'retry', id = random.pick(this.recent)): Promise<void> {
    if (!id) return;
    const answer = await this.ask(random, `/tasks/${id}/${command}`);
    if (answer === 'lost' || answer.status !== 200) return;
    this.world.history.add({ kind: 'acknowledged', request: command, tasks: [seen(answer.body)] });
  }

  private async ask(random: Random, path: string, body?: unknown, key?: string): Promise<Answer> {
    const url = random.pick(this.world.replicas).url;
    const answer = url ? await send(url, 'POST', path, body, key) : 'lost';
    if (answer === 'lost') this.requests.lost++;
    else if (answer.status < 300) this.requests.answered++;
    else if (answer.status === 503) this.requests.unavailable++;
    // A command that does not fit the state of its task.
    else if (answer.status === 409) this.requests.refused++;
    else this.world.history.add({ kind: 'unexpected', request: `POST ${path}`, answer: JSON.stringify(answer) });
    return answer;
  }
}

/** Short ones, long ones that a fault can catch, ones that fail, and ones that wait to be executed or for their time. */
function newTask(random: Random, hasWorkers: boolean, key?: string): object {
  const labels = key ? { [keyLabel]: key } : {};
  const name = `chaos ${key ?? ''}`.trim();
  const sleep = (seconds: number, fail = false) => ({
    type: 'sleep',
    parameters: { seconds: Math.round(seconds * 100) / 100, ...(fail && { fail }) },
  });
  const draw = random.next();
  const backoff = { kind: 'fixed', delay_seconds: random.pick([0, 0.3, 1.5]) };
  const priority = random.pick(['low', 'medium', 'medium', 'high', 'critical']);
  const common = { name, labels, priority, start: 'auto' };
  if (hasWorkers && random.chance(0.4)) {
    const { parameters } = random.chance(0.7) ? sleep(random.between(0, 1)) : sleep(random.between(2, 6), random.chance(0.3));
    return { ...common, type: 'remote', parameters, max_attempts: random.whole(1, 3), backoff };
  }
  if (draw < 0.3) return { ...common, type: 'echo', parameters: { draw } };
  if (draw < 0.55) return { ...common, ...sleep(random.between(0.1, 1.5)) };
  if (draw < 0.7) return { ...common, ...sleep(random.between(3, 6)) };
  if (draw < 0.8) return { ...common, ...sleep(random.between(0.1, 1), true), max_attempts: random.whole(1, 4), backoff };
  if (draw < 0.85) return { ...common, ...sleep(0.3), run_at: new Date(Date.now() + random.between(500, 4_000)).toISOString() };
  return { ...common, ...sleep(random.between(0, 1)), start: 'manual' };
}
