import type { ServerWritableStream } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { Operation } from '../../auth/auth.guard.js';
import { Call } from '../../transport/grpc/call.decorator.js';
import { rpcStream } from '../../transport/grpc/rpc-stream.js';
import { EventStreams } from '../../transport/sse.js';
import { ListLogsDto, SubscribeLogsMessage } from './logs.dto.js';
import { LogsService, type FollowedLines } from './logs.service.js';

/** The gRPC door: every call is the twin of a REST call. */
@Controller()
@ApiExcludeController()
export class LogsGrpc {
  constructor(
    private readonly logs: LogsService,
    private readonly streams: EventStreams,
  ) {}

  @GrpcMethod('AdminService')
  @Operation('admin.logs')
  listLogs(@Payload() query: ListLogsDto) {
    return this.logs.list(query);
  }

  @GrpcMethod('AdminService')
  @Operation('admin.logs')
  watchLogs(
    @Payload() { after, ...filters }: SubscribeLogsMessage,
    @Call() call: ServerWritableStream<unknown, unknown>,
  ): Observable<object> {
    const followed = this.logs.follow(filters, after);
    return rpcStream(call, this.streams, (signal) => messages(followed(signal)));
  }
}

async function* messages(followed: AsyncIterable<FollowedLines>): AsyncGenerator<object> {
  for await (const item of followed) {
    if ('lines' in item) for (const line of item.lines) yield { line };
    else yield item;
  }
}
