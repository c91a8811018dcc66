import { Readable } from 'node:stream';
import { Body, Controller, Get, Headers, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { Id } from '../../transport/input.pipe.js';
import { requestContext } from '../../transport/request-context.js';
import { ListRunsDto, RunActionDto } from './actions.dto.js';
import { Documented } from './actions.openapi.js';
import { ActionsService } from './actions.service.js';

/** The REST door. */
@Controller('admin/actions')
export class ActionsController {
  constructor(private readonly actions: ActionsService) {}

  @Get()
  @Operation('admin.actions')
  @Documented.describe
  describe() {
    return this.actions.describe();
  }

  @Post()
  @Operation('admin.act')
  @Documented.run
  async run(
    @Caller() caller: Principal,
    @Body() body: RunActionDto,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { answer, replayed } = await this.actions.run(caller, body, requestContext()?.request_id, key);
    if (replayed) reply.header('idempotency-replayed', 'true');
    // It may hold what nobody else is to see.
    reply.header('cache-control', 'no-store').header('location', `/admin/actions/${answer.id}`);
    reply.status(answer.finished_at === null ? 202 : 200);
    return answer;
  }

  @Get('runs')
  @Operation('admin.actions')
  @Documented.list
  list(@Query() query: ListRunsDto) {
    return this.actions.list(query);
  }

  @Get(':id')
  @Operation('admin.actions')
  @Documented.get
  get(@Id('a run') id: string) {
    return this.actions.get(id);
  }

  @Get(':id/file')
  @Operation('admin.act')
  @Documented.file
  async file(@Id('a run') id: string, @Res() reply: FastifyReply) {
    const { name, bytes, pieces } = await this.actions.file(id);
    return reply
      .headers({
        'content-type': 'application/gzip',
        'content-length': bytes,
        'content-disposition': `attachment; filename="${name}"`,
        'cache-control': 'no-store',
      })
      .send(Readable.from(pieces, { objectMode: false }));
  }
}
