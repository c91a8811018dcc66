import { InjectQueue } from '@nestjs/bullmq';
import { Injectable, NotFoundException } from '@nestjs/common';
import { Queue, type Job, type JobType } from 'bullmq';
import type { CreateTaskDto } from './create-task.dto.js';

/** The life cycle's words by BullMQ's, and back. */
const statusOf: Partial<Record<string, string>> = { waiting: 'queued', active: 'running', delayed: 'scheduled' };
const typesOf: Record<string, JobType> = {
  queued: 'wait',
  running: 'active',
  scheduled: 'delayed',
  completed: 'completed',
  failed: 'failed',
};
const pageSize = 50;

type Data = Pick<CreateTaskDto, 'name' | 'priority' | 'parameters' | 'labels' | 'timeout_seconds' | 'run_at'>;

@Injectable()
export class TasksService {
  constructor(@InjectQueue('tasks') private readonly queue: Queue<Data>) {}

  async create({ type = 'echo', name, priority, parameters, labels, timeout_seconds, run_at, max_attempts }: CreateTaskDto) {
    const delay = run_at ? Math.max(0, Date.parse(run_at) - Date.now()) : 0;
    const data = { name, priority, parameters, labels, timeout_seconds, run_at };
    const job = await this.queue.add(type, data, { attempts: max_attempts, delay });
    return toView(job, delay ? 'scheduled' : 'queued');
  }

  async get(id: string) {
    const job = await this.queue.getJob(id);
    if (!job) throw new NotFoundException();
    const state = await job.getState();
    return toView(job, statusOf[state] ?? state);
  }

  async list(status = 'queued') {
    const jobs = await this.queue.getJobs([typesOf[status] ?? 'wait'], 0, pageSize - 1);
    return { items: jobs.map((job) => toView(job, status)), next_cursor: jobs.length < pageSize ? null : jobs.at(-1)?.id };
  }
}

function toView(job: Job<Data>, status: string) {
  const { name, priority = 'medium', parameters = {}, labels = {}, timeout_seconds = 300, run_at = null } = job.data;
  const time = (ms?: number) => (ms ? new Date(ms).toISOString() : null);
  return {
    id: job.id,
    tenant_id: 'default',
    name,
    type: job.name,
    queue: 'default',
    priority,
    status,
    parameters,
    labels,
    result: (job.returnvalue as unknown) ?? null,
    error: job.failedReason ? { message: job.failedReason } : null,
    progress: typeof job.progress === 'number' ? job.progress : 0,
    progress_message: null,
    attempt: job.attemptsMade,
    max_attempts: job.opts.attempts ?? 1,
    timeout_seconds,
    backoff: { kind: 'exponential', delay_seconds: 1, max_delay_seconds: 300, jitter: 0.2 },
    run_at,
    worker_id: null,
    created_by: 'anonymous',
    created_at: time(job.timestamp),
    updated_at: time(job.timestamp),
    queued_at: time(job.timestamp),
    started_at: time(job.processedOn),
    finished_at: time(job.finishedOn),
    version: 1,
  };
}
