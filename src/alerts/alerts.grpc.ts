import type { ServerWritableStream } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { EventWatch, type Watched } from '../events/event-watch.js';
import { toAlertEventView } from '../events/events.js';
import { Call } from '../transport/grpc/call.decorator.js';
import { rpcStream } from '../transport/grpc/rpc-stream.js';
import { EventStreams } from '../transport/sse.js';
import { alertEventFilter } from './alert-filter.js';
import { AlertStatsDto, CreateAlertDto, ListAlertsDto } from './alerts.dto.js';
import { AcknowledgeMessage, AlertHistoryMessage, AlertMessage, ResolveMessage, SubscribeAlertsMessage } from './alerts.messages.js';
import { AlertsService } from './alerts.service.js';

/** The gRPC door: every call is the twin of a REST call. */
@Controller()
@ApiExcludeController()
export class AlertsGrpc {
  constructor(
    private readonly alerts: AlertsService,
    private readonly watch: EventWatch,
    private readonly streams: EventStreams,
  ) {}

  @GrpcMethod('AlertService')
  @Operation('alerts.create')
  createAlert(@Caller() caller: Principal, @Payload() body: CreateAlertDto) {
    return this.alerts.create(caller, body);
  }

  @GrpcMethod('AlertService')
  @Operation('alerts.list')
  listAlerts(@Caller() caller: Principal, @Payload() filters: ListAlertsDto) {
    return this.alerts.list(caller, filters);
  }

  @GrpcMethod('AlertService')
  @Operation('alerts.list')
  getAlertStats(@Caller() caller: Principal, @Payload() query: AlertStatsDto) {
    return this.alerts.stats(caller, query);
  }

  @GrpcMethod('AlertService')
  @Operation('alerts.get')
  async getAlert(@Caller() caller: Principal, @Payload() { id }: AlertMessage) {
    const { silenced_by, inhibited_by, ...alert } = await this.alerts.get(caller, id);
    return { alert, silenced_by, inhibited_by };
  }

  @GrpcMethod('AlertService')
  @Operation('alerts.get')
  listAlertHistory(@Caller() caller: Principal, @Payload() { id, ...page }: AlertHistoryMessage) {
    return this.alerts.history(caller, id, page);
  }

  @GrpcMethod('AlertService')
  @Operation('alerts.acknowledge')
  async acknowledgeAlert(@Caller() caller: Principal, @Payload() { id, ...body }: AcknowledgeMessage) {
    return { alert: await this.alerts.acknowledge(caller, id, body) };
  }

  @GrpcMethod('AlertService')
  @Operation('alerts.resolve')
  async resolveAlert(@Caller() caller: Principal, @Payload() { id, ...body }: ResolveMessage) {
    return { alert: await this.alerts.resolve(caller, id, body) };
  }

  @GrpcMethod('AlertService')
  @Operation('alerts.subscribe')
  watchAlerts(
    @Caller() { tenant_id }: Principal,
    @Payload() { since, ...filters }: SubscribeAlertsMessage,
    @Call() call: ServerWritableStream<unknown, unknown>,
  ): Observable<object> {
    return rpcStream(call, this.streams, (signal) => messages(this.watch.watch(alertEventFilter(tenant_id, filters), since, signal)));
  }
}

async function* messages(watched: AsyncIterable<Watched>): AsyncGenerator<object> {
  for await (const item of watched) {
    if (!('event' in item)) yield item;
    else {
      const { seq, action, at, ...alert } = toAlertEventView(item.event);
      yield { event: { seq, action, at, alert } };
    }
  }
}
