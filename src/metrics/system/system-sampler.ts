import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, loadavg, totalmem } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How this machine and this process are. Usages are per cent, 0 to 100. */
export interface SystemHealth {
  /** Of all cores, since the sample before. */
  cpu_usage: number;
  /** Of the memory that the process may use: the machine's, or its container's. */
  memory_usage: number;
  /** Of the file system of DATA_DIR; null where it cannot be told. */
  disk_usage: number | null;
  /** Average number of runnable processes over 1, 5 and 15 minutes; zeros on Windows. */
  load: [number, number, number];
  /** p99 since the sample before, in seconds. */
  event_loop_lag: number;
  process: { cpu_usage: number; resident_bytes: number; heap_used_bytes: number; uptime_seconds: number };
}

/** Each look at the loop wakes an idle process, so they are few; what keeps the loop for longer than this is seen for certain. */
export const lagResolutionMs = 100;

/** Takes samples of the machine; each says what was since the one before. */
export class SystemSampler {
  private readonly lag = monitorEventLoopDelay({ resolution: lagResolutionMs });
  private machine = machineTimes();
  private own = { usage: process.cpuUsage(), at: performance.now() };

  constructor(private readonly directory: string) {
    this.lag.enable();
  }

  stop(): void {
    this.lag.disable();
  }

  async sample(): Promise<SystemHealth> {
    const memory = process.memoryUsage();
    const health = {
      cpu_usage: this.machineUsage(),
      memory_usage: memoryUsage(),
      disk_usage: await diskUsage(this.directory),
      load: loadavg().map(rounded) as [number, number, number],
      event_loop_lag: this.lag.count ? Math.max(0, this.lag.percentile(99) / 1e9 - lagResolutionMs / 1e3) : 0,
      process: {
        cpu_usage: this.ownUsage(),
        resident_bytes: memory.rss,
        heap_used_bytes: memory.heapUsed,
        uptime_seconds: Math.round(process.uptime()),
      },
    };
    this.lag.reset();
    return health;
  }

  private machineUsage(): number {
    const before = this.machine;
    this.machine = machineTimes();
    const total = this.machine.total - before.total;
    return total > 0 ? rounded(100 * (1 - (this.machine.idle - before.idle) / total)) : 0;
  }

  private ownUsage(): number {
    const before = this.own;
    this.own = { usage: process.cpuUsage(), at: performance.now() };
    const { user, system } = process.cpuUsage(before.usage);
    const elapsedMs = this.own.at - before.at;
    return elapsedMs > 0 ? rounded(Math.min(100, (100 * (user + system)) / 1_000 / elapsedMs / availableParallelism())) : 0;
  }
}

function machineTimes(): { total: number; idle: number } {
  let total = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    total += times.user + times.nice + times.sys + times.irq + times.idle;
    idle += times.idle;
  }
  return { total, idle };
}

function memoryUsage(): number {
  const constrained = process.constrainedMemory();
  // Without a limit it is 0, or a number beyond any machine.
  const isConstrained = constrained > 0 && constrained < totalmem();
  const total = isConstrained ? constrained : totalmem();
  const free = isConstrained ? process.availableMemory() : Math.max(freemem(), process.availableMemory());
  return rounded(100 * Math.min(1, Math.max(0, 1 - free / total)));
}

async function diskUsage(directory: string): Promise<number | null> {
  try {
    const { blocks, bfree, bavail } = await statfs(directory);
    const used = blocks - bfree;
    // As `df` has it: what only root may use is not there.
    return used + bavail > 0 ? rounded((100 * used) / (used + bavail)) : null;
  } catch {
    return null;
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
