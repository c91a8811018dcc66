import { Body, Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { NoBody } from '../transport/input.pipe.js';
import { BeatDto, CompleteDto, FailDto, LogDto, PollDto, WorkerIdDto } from './workers.dto.js';
import { Documented } from './workers.openapi.js';
import { WorkersService } from './workers.service.js';

/** The REST door: the list of workers, and the twins of the worker protocol for whoever has HTTP alone. */
@Controller('workers')
export class WorkersController {
  constructor(private readonly workers: WorkersService) {}

  @Get()
  @Operation('workers.list')
  @Documented.list
  list(@Caller() caller: Principal) {
    return this.workers.list(caller);
  }

  @Post('poll')
  @HttpCode(200)
  @Operation('workers.work')
  @Documented.poll
  async poll(@Caller() caller: Principal, @Body() body: PollDto, @Res({ passthrough: true }) reply: FastifyReply) {
    const controller = new AbortController();
    // Of a caller that leaves before it has its answer, nobody would run the tasks.
    reply.raw.once('close', () => reply.raw.writableFinished || controller.abort());
    return this.workers.poll(caller, body, controller.signal);
  }

  @Post('beat')
  @HttpCode(200)
  @Operation('workers.work')
  @Documented.beat
  beat(@Caller() caller: Principal, @Body() { leases = [] }: BeatDto) {
    return this.workers.beat(caller, leases);
  }

  @Post('complete')
  @HttpCode(200)
  @Operation('workers.work')
  @Documented.complete
  complete(@Caller() caller: Principal, @Body() body: CompleteDto) {
    return this.workers.complete(caller, body);
  }

  @Post('fail')
  @HttpCode(200)
  @Operation('workers.work')
  @Documented.fail
  fail(@Caller() caller: Principal, @Body() body: FailDto) {
    return this.workers.fail(caller, body);
  }

  @Post('log')
  @HttpCode(204)
  @Operation('workers.work')
  @Documented.log
  async log(@Caller() caller: Principal, @Body() { lines = [] }: LogDto) {
    await this.workers.log(caller, lines);
  }

  @Post(':id/drain')
  @HttpCode(204)
  @Operation('workers.manage')
  @Documented.drain
  async drain(@Caller() caller: Principal, @Param() { id }: WorkerIdDto, @NoBody() _body: void) {
    await this.workers.drain(caller, id);
  }

  @Post(':id/disconnect')
  @HttpCode(204)
  @Operation('workers.manage')
  @Documented.disconnect
  async disconnect(@Caller() caller: Principal, @Param() { id }: WorkerIdDto, @NoBody() _body: void) {
    await this.workers.disconnect(caller, id);
  }
}
