import { statfs } from 'node:fs/promises';
import { arch, availableParallelism, freemem, hostname, loadavg, platform, release, totalmem, uptime } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import { ReplicaStatus } from '../../metrics/prometheus/replica-status.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { Connections } from '../../transport/connections.js';
import type { HostAnswer, ProcessAnswer } from './system-answers.js';

/** This process, and the machine that it runs on, as they are now. */
@Injectable()
export class OwnProcess {
  private readonly startedAt = new Date(Date.now() - performance.now()).toISOString();

  constructor(
    private readonly status: ReplicaStatus,
    private readonly connections: Connections,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  process(): ProcessAnswer {
    const { rss, heapUsed, heapTotal } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    return {
      pid: process.pid,
      started_at: this.startedAt,
      uptime_seconds: Math.round(process.uptime()),
      cpu_seconds: Math.round((user + system) / 1e4) / 100,
      resident_bytes: rss,
      heap_used_bytes: heapUsed,
      heap_total_bytes: heapTotal,
      sockets: this.connections.sockets(),
      streams: this.connections.streams(),
      ...this.status.runner,
    };
  }

  async host(): Promise<HostAnswer> {
    const disk = await statfs(this.settings.DATA_DIR).catch(() => undefined);
    return {
      name: hostname(),
      platform: platform(),
      release: release(),
      arch: arch(),
      cpus: availableParallelism(),
      load: loadavg(),
      memory_total_bytes: totalmem(),
      memory_free_bytes: freemem(),
      disk_total_bytes: disk ? disk.blocks * disk.bsize : null,
      disk_free_bytes: disk ? disk.bavail * disk.bsize : null,
      uptime_seconds: Math.round(uptime()),
    };
  }
}
