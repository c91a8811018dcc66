import { Body, Controller, Delete, Get, Headers, HttpCode, Patch, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { invalid } from '../errors/coded-error.js';
import { HistoryPageDto } from '../input/query.js';
import { Id, NoBody } from '../transport/input.pipe.js';
import { EventStreams, sendEventStream } from '../transport/sse.js';
import { versionFrom, seqFrom } from '../input/preconditions.js';
import { isTerminal, type Task } from './task.js';
import { ListTasksDto, WaitDto } from './task-filters.dto.js';
import { BulkCreateDto, CreateTaskDto, PatchTaskDto, TaskFieldsDto } from './tasks.dto.js';
import { Documented } from './tasks.openapi.js';
import { TasksService } from './tasks.service.js';

/** The REST door. */
@Controller('tasks')
export class TasksController {
  constructor(
    private readonly tasks: TasksService,
    private readonly streams: EventStreams,
  ) {}

  @Post()
  @Operation('tasks.create')
  @Documented.create
  async create(
    @Caller() caller: Principal,
    @Body() body: CreateTaskDto,
    @Query() { wait }: WaitDto,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    if (wait !== undefined && body.start !== 'auto' && !body.run_at) {
      throw invalid([{ field: 'wait', message: 'needs a task that starts by itself: send start: "auto" in the body' }]);
    }
    const { answer, replayed } = await this.tasks.create(caller, body, key);
    if (replayed) reply.header('idempotency-replayed', 'true');
    reply.header('location', `/tasks/${answer.id}`).status(201);
    return this.answer(reply, wait === undefined ? answer : await this.waited(reply, caller, answer.id, wait));
  }

  @Post('bulk')
  @Operation('tasks.create')
  @Documented.createBulk
  async createBulk(
    @Caller() caller: Principal,
    @Body() body: BulkCreateDto,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { answer, replayed } = await this.tasks.createBulk(caller, body, key);
    if (replayed) reply.header('idempotency-replayed', 'true');
    reply.status(answer.failed ? 207 : 201);
    return answer;
  }

  @Get()
  @Operation('tasks.list')
  @Documented.list
  list(@Caller() caller: Principal, @Query() filters: ListTasksDto) {
    return this.tasks.list(caller, filters);
  }

  @Get(':id')
  @Operation('tasks.get')
  @Documented.get
  async get(@Caller() caller: Principal, @Id() id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.answer(reply, await this.tasks.get(caller, id));
  }

  @Put(':id')
  @Operation('tasks.update')
  @Documented.replace
  async replace(
    @Caller() caller: Principal,
    @Id() id: string,
    @Body() body: TaskFieldsDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.answer(reply, await this.tasks.replace(caller, id, body, versionFrom(ifMatch)));
  }

  @Patch(':id')
  @Operation('tasks.update')
  @Documented.patch
  async patch(
    @Caller() caller: Principal,
    @Id() id: string,
    @Body() body: PatchTaskDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.answer(reply, await this.tasks.patch(caller, id, body, versionFrom(ifMatch)));
  }

  @Delete(':id')
  @HttpCode(204)
  @Operation('tasks.delete')
  @Documented.delete
  async delete(@Caller() caller: Principal, @Id() id: string, @Headers('if-match') ifMatch: string | undefined) {
    await this.tasks.remove(caller, id, versionFrom(ifMatch));
  }

  @Post(':id/execute')
  @HttpCode(200)
  @Operation('tasks.execute')
  @Documented.execute
  async execute(
    @Caller() caller: Principal,
    @Id() id: string,
    @NoBody() _body: void,
    @Query() { wait }: WaitDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const task = await this.tasks.execute(caller, id);
    return this.answer(reply, wait === undefined ? task : await this.waited(reply, caller, id, wait));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Operation('tasks.cancel')
  @Documented.cancel
  async cancel(@Caller() caller: Principal, @Id() id: string, @NoBody() _body: void, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.answer(reply, await this.tasks.cancel(caller, id));
  }

  @Post(':id/retry')
  @HttpCode(200)
  @Operation('tasks.retry')
  @Documented.retry
  async retry(@Caller() caller: Principal, @Id() id: string, @NoBody() _body: void, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.answer(reply, await this.tasks.retry(caller, id));
  }

  @Get(':id/attempts')
  @Operation('tasks.attempts')
  @Documented.attempts
  attempts(@Caller() caller: Principal, @Id() id: string, @Query() page: HistoryPageDto) {
    return this.tasks.attempts(caller, id, page);
  }

  @Get(':id/logs')
  @Operation('tasks.logs')
  @Documented.logs
  logs(@Caller() caller: Principal, @Id() id: string, @Query() page: HistoryPageDto) {
    return this.tasks.logs(caller, id, page);
  }

  /** JSON pages, or a live stream for callers that accept `text/event-stream`. */
  @Get(':id/events')
  @Operation('tasks.events')
  @Documented.events
  async events(
    @Caller() caller: Principal,
    @Id() id: string,
    @Query() page: HistoryPageDto,
    @Headers() headers: { accept?: string; 'last-event-id'?: string },
    @Res() reply: FastifyReply,
  ) {
    if (!headers.accept?.includes('text/event-stream')) return reply.send(await this.tasks.events(caller, id, page));
    const since = seqFrom(headers['last-event-id']) ?? page.cursor ?? 0;
    const { reset, seq, follow } = await this.tasks.followEvents(caller, id, since);
    const source = async function* (signal: AbortSignal) {
      if (reset) yield { id: String(seq), event: 'reset', data: { seq } };
      for await (const events of follow(signal))
        for (const event of events) yield { id: String(event.seq), event: event.action, data: event };
    };
    return sendEventStream(reply, source, this.streams);
  }

  private answer(reply: FastifyReply, task: Task): Task {
    reply.header('etag', `"${task.version}"`);
    return task;
  }

  private async waited(reply: FastifyReply, caller: Principal, id: string, seconds: number): Promise<Task> {
    const task = await this.tasks.waitForEnd(caller, id, seconds);
    if (!isTerminal(task.status)) reply.status(202);
    return task;
  }
}
