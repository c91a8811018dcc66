import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Operation } from '../../auth/auth.guard.js';
import { invalid } from '../../errors/coded-error.js';
import { seqFrom } from '../../input/preconditions.js';
import { EventStreams, sendEventStream, type ServerSentEvent } from '../../transport/sse.js';
import { LogsQueryDto } from './logs.dto.js';
import { Documented } from './logs.openapi.js';
import { LogsService, type FollowedLines } from './logs.service.js';

/** The REST door. */
@Controller('admin/logs')
@Operation('admin.logs')
export class LogsController {
  constructor(
    private readonly logs: LogsService,
    private readonly streams: EventStreams,
  ) {}

  /** JSON pages, or lines as they are stored. */
  @Get()
  @Documented.logs
  async get(
    @Query() { follow, after, ...query }: LogsQueryDto,
    @Headers() { accept, 'last-event-id': lastEventId }: { accept?: string; 'last-event-id'?: string },
    @Res() reply: FastifyReply,
  ) {
    if (follow === 'false' || (follow === undefined && !accept?.includes('text/event-stream'))) {
      if (after !== undefined) throw invalid([{ field: 'after', message: 'is for follow=true; pages go on by cursor' }]);
      return reply.send(await this.logs.list(query));
    }
    const { limit: _limit, cursor, ...filters } = query;
    if (cursor !== undefined) throw invalid([{ field: 'cursor', message: 'is for pages; with follow, send after or Last-Event-ID' }]);
    const followed = this.logs.follow(filters, seqFrom(lastEventId) ?? after);
    return sendEventStream(reply, (signal) => events(followed(signal)), this.streams);
  }
}

async function* events(followed: AsyncIterable<FollowedLines>): AsyncGenerator<ServerSentEvent> {
  for await (const item of followed) {
    if ('lines' in item) for (const line of item.lines) yield { id: String(line.id), event: 'admin_log', data: line };
    else yield { id: String(item.start.id), event: item.start.reset ? 'reset' : 'start', data: { id: item.start.id } };
  }
}
