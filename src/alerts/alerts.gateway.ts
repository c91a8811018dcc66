import { UseFilters } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage as On, WebSocketGateway } from '@nestjs/websockets';
import type { Socket } from 'socket.io';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { ErrorFilter } from '../transport/error.filter.js';
import { alertEventFilter, alertFilterKey } from './alert-filter.js';
import { AlertSubscriptions } from './alert-subscriptions.js';
import { AlertStatsDto, CreateAlertDto, ListAlertsDto } from './alerts.dto.js';
import { AcknowledgeMessage, AlertHistoryMessage, AlertMessage, ResolveMessage, SubscribeAlertsMessage } from './alerts.messages.js';
import { AlertsService } from './alerts.service.js';

/** The door of Socket.IO: every message is acknowledged with the answer of its REST twin, or with `{ error }`. */
@WebSocketGateway({ namespace: 'alerts' })
@UseFilters(ErrorFilter)
export class AlertsGateway {
  constructor(
    private readonly alerts: AlertsService,
    private readonly subscriptions: AlertSubscriptions,
  ) {}

  @On('subscribe')
  @Operation('alerts.subscribe')
  subscribe(
    @Caller() { tenant_id }: Principal,
    @ConnectedSocket() socket: Socket,
    @MessageBody() { since, ...filters }: SubscribeAlertsMessage,
  ) {
    return this.subscriptions.subscribe(socket, {
      key: alertFilterKey(tenant_id, filters),
      matches: alertEventFilter(tenant_id, filters),
      since,
    });
  }

  @On('unsubscribe')
  @Operation('alerts.subscribe')
  unsubscribe(@ConnectedSocket() socket: Socket) {
    this.subscriptions.remove(socket);
    return {};
  }

  @On('create')
  @Operation('alerts.create')
  async create(@Caller() caller: Principal, @MessageBody() body: CreateAlertDto) {
    return (await this.alerts.create(caller, body)).alert;
  }

  @On('list')
  @Operation('alerts.list')
  list(@Caller() caller: Principal, @MessageBody() filters: ListAlertsDto) {
    return this.alerts.list(caller, filters);
  }

  @On('get')
  @Operation('alerts.get')
  get(@Caller() caller: Principal, @MessageBody() { id }: AlertMessage) {
    return this.alerts.get(caller, id);
  }

  @On('acknowledge')
  @Operation('alerts.acknowledge')
  acknowledge(@Caller() caller: Principal, @MessageBody() { id, ...body }: AcknowledgeMessage) {
    return this.alerts.acknowledge(caller, id, body);
  }

  @On('resolve')
  @Operation('alerts.resolve')
  resolve(@Caller() caller: Principal, @MessageBody() { id, ...body }: ResolveMessage) {
    return this.alerts.resolve(caller, id, body);
  }

  @On('history')
  @Operation('alerts.get')
  history(@Caller() caller: Principal, @MessageBody() { id, ...page }: AlertHistoryMessage) {
    return this.alerts.history(caller, id, page);
  }

  @On('stats')
  @Operation('alerts.list')
  stats(@Caller() caller: Principal, @MessageBody() query: AlertStatsDto) {
    return this.alerts.stats(caller, query);
  }
}
