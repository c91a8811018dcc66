import type { ServerWritableStream } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { EventWatch, type Watched } from '../../events/event-watch.js';
import { isAdminActionEvent, toAdminActionEventView } from '../../events/events.js';
import { Call } from '../../transport/grpc/call.decorator.js';
import { JsonValue } from '../../transport/grpc/json-messages.js';
import { rpcStream } from '../../transport/grpc/rpc-stream.js';
import { NoFields } from '../../transport/input.pipe.js';
import { requestContext } from '../../transport/request-context.js';
import { EventStreams } from '../../transport/sse.js';
import type { Run } from './action.js';
import { ListRunsDto, RunActionMessage, RunMessage, SubscribeActionsMessage } from './actions.dto.js';
import { ActionsService } from './actions.service.js';

/** The gRPC door: every call is the twin of a REST call. */
@Controller()
@ApiExcludeController()
export class ActionsGrpc {
  constructor(
    private readonly actions: ActionsService,
    private readonly watch: EventWatch,
    private readonly streams: EventStreams,
  ) {}

  @GrpcMethod('AdminService')
  @Operation('admin.actions')
  describeActions(@Payload() _body: NoFields) {
    return this.actions.describe();
  }

  @GrpcMethod('AdminService')
  @Operation('admin.act')
  async runAction(@Caller() caller: Principal, @Payload() { idempotency_key, ...body }: RunActionMessage) {
    const { answer, replayed } = await this.actions.run(caller, body, requestContext()?.request_id, idempotency_key);
    const { shown_once, ...run } = answer;
    return { run: runMessage(run), shown_once, replayed };
  }

  @GrpcMethod('AdminService')
  @Operation('admin.actions')
  async getAction(@Payload() { id }: RunMessage) {
    return { run: runMessage(await this.actions.get(id)) };
  }

  @GrpcMethod('AdminService')
  @Operation('admin.actions')
  async listActions(@Payload() query: ListRunsDto) {
    const { items, next_cursor } = await this.actions.list(query);
    return { items: items.map(runMessage), next_cursor };
  }

  @GrpcMethod('AdminService')
  @Operation('admin.act')
  downloadAction(@Payload() { id }: RunMessage, @Call() call: ServerWritableStream<unknown, unknown>): Observable<object> {
    return rpcStream(call, this.streams, () => this.download(id));
  }

  @GrpcMethod('AdminService')
  @Operation('admin.actions')
  watchActions(@Payload() { since }: SubscribeActionsMessage, @Call() call: ServerWritableStream<unknown, unknown>): Observable<object> {
    return rpcStream(call, this.streams, (signal) => messages(this.watch.watch(isAdminActionEvent, since, signal)));
  }

  private async *download(id: string): AsyncGenerator<object> {
    const { name, bytes, pieces } = await this.actions.file(id);
    yield { file: { name, bytes } };
    for await (const data of pieces) yield { data };
  }
}

async function* messages(watched: AsyncIterable<Watched>): AsyncGenerator<object> {
  for await (const item of watched) yield 'event' in item ? { event: toAdminActionEventView(item.event) } : item;
}

function runMessage({ result, ...run }: Run): object {
  return { ...run, ...(result !== null && { result: new JsonValue(result) }) };
}
