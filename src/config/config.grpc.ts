import type { ServerWritableStream } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { EventWatch, type Watched } from '../events/event-watch.js';
import { isConfigEvent, toConfigEventView } from '../events/events.js';
import { Call } from '../transport/grpc/call.decorator.js';
import { JsonValue } from '../transport/grpc/json-messages.js';
import { rpcStream } from '../transport/grpc/rpc-stream.js';
import { NoFields } from '../transport/input.pipe.js';
import { EventStreams } from '../transport/sse.js';
import type { ChangeAnswer, SourceAnswer, VersionAnswer } from './config-answers.js';
import { ConfigHistoryDto, ConfigVersionMessage, RollbackConfigMessage, SetConfigMessage, SubscribeConfigMessage } from './config.dto.js';
import { ConfigService } from './config.service.js';

/** The gRPC door: every call is the twin of a REST call. */
@Controller()
@ApiExcludeController()
export class ConfigGrpc {
  constructor(
    private readonly config: ConfigService,
    private readonly watch: EventWatch,
    private readonly streams: EventStreams,
  ) {}

  @GrpcMethod('ConfigService')
  @Operation('config.read')
  getConfig(@Payload() _body: NoFields) {
    const { settings, ...config } = this.config.get();
    return {
      ...config,
      settings: settings.map(({ hides, running_value, ...setting }) => ({
        ...sourceMessage(setting),
        running_value: json(running_value),
        hides: hides.map(sourceMessage),
      })),
    };
  }

  @GrpcMethod('ConfigService')
  @Operation('config.read')
  getConfigSchema(@Payload() _body: NoFields) {
    return { schema: this.config.schema() };
  }

  @GrpcMethod('ConfigService')
  @Operation('config.write')
  async setConfig(@Caller() caller: Principal, @Payload() { version, ...body }: SetConfigMessage) {
    return changedMessage(await this.config.set(caller, body, version));
  }

  @GrpcMethod('ConfigService')
  @Operation('config.read')
  async listConfigHistory(@Payload() query: ConfigHistoryDto) {
    const { items, next_cursor } = await this.config.history(query);
    return { items: items.map(versionMessage), next_cursor };
  }

  @GrpcMethod('ConfigService')
  @Operation('config.read')
  async getConfigVersion(@Payload() { version }: ConfigVersionMessage) {
    const { overrides, replicas, complete, ...rest } = await this.config.version(version);
    return { version: versionMessage(rest), overrides, replicas, complete };
  }

  @GrpcMethod('ConfigService')
  @Operation('config.write')
  async rollbackConfig(@Caller() caller: Principal, @Payload() { current_version, ...body }: RollbackConfigMessage) {
    return changedMessage(await this.config.rollback(caller, body, current_version));
  }

  @GrpcMethod('ConfigService')
  @Operation('config.read')
  watchConfig(@Payload() { since }: SubscribeConfigMessage, @Call() call: ServerWritableStream<unknown, unknown>): Observable<object> {
    return rpcStream(call, this.streams, (signal) => messages(this.watch.watch(isConfigEvent, since, signal)));
  }
}

async function* messages(watched: AsyncIterable<Watched>): AsyncGenerator<object> {
  for await (const item of watched) {
    if (!('event' in item)) yield item;
    else {
      const { changes, ...event } = toConfigEventView(item.event);
      yield { event: { ...event, changes: (changes as ChangeAnswer[]).map(changeMessage) } };
    }
  }
}

function json(value: SourceAnswer['value']): JsonValue {
  return new JsonValue(Array.isArray(value) ? [...value] : (value as string | number | boolean | null));
}

function sourceMessage<T extends SourceAnswer>({ value, ...rest }: T) {
  return { ...rest, value: json(value) };
}

function changeMessage<T extends ChangeAnswer>({ from, to, ...rest }: T) {
  return { ...rest, from: json(from), to: json(to) };
}

function versionMessage({ changes, ...version }: VersionAnswer) {
  return { ...version, changes: changes.map(changeMessage) };
}

function changedMessage<T extends { changes: ChangeAnswer[]; effects: ChangeAnswer[] }>({ changes, effects, ...rest }: T) {
  return { ...rest, changes: changes.map(changeMessage), effects: effects.map(changeMessage) };
}
