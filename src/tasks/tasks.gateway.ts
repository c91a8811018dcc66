import { UseFilters } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage as On, WebSocketGateway } from '@nestjs/websockets';
import type { Socket } from 'socket.io';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { ErrorFilter } from '../transport/error.filter.js';
import { ListTasksDto } from './task-filters.dto.js';
import { eventFilter, filterKey } from './event-filter.js';
import { TaskSubscriptions } from './task-subscriptions.js';
import {
  BulkMessage,
  CreateMessage,
  DeleteMessage,
  HistoryMessage,
  SubscribeMessage,
  TaskMessage,
  UpdateMessage,
} from './tasks.messages.js';
import { TasksService } from './tasks.service.js';

/** The door of Socket.IO: every message is acknowledged with the answer of its REST twin, or with `{ error }`. */
@WebSocketGateway({ namespace: 'tasks' })
@UseFilters(ErrorFilter)
export class TasksGateway {
  constructor(
    private readonly tasks: TasksService,
    private readonly subscriptions: TaskSubscriptions,
  ) {}

  @On('subscribe')
  @Operation('tasks.subscribe')
  subscribe(@Caller() caller: Principal, @ConnectedSocket() socket: Socket, @MessageBody() filters: SubscribeMessage) {
    const { tenant_id } = caller;
    return this.subscriptions.subscribe(socket, {
      key: filterKey(tenant_id, filters),
      matches: eventFilter(tenant_id, filters),
      since: filters.since,
    });
  }

  @On('unsubscribe')
  @Operation('tasks.subscribe')
  unsubscribe(@ConnectedSocket() socket: Socket) {
    this.subscriptions.remove(socket);
    return {};
  }

  @On('create')
  @Operation('tasks.create')
  async create(@Caller() caller: Principal, @MessageBody() { idempotency_key, ...body }: CreateMessage) {
    return (await this.tasks.create(caller, body, idempotency_key)).answer;
  }

  @On('create_bulk')
  @Operation('tasks.create')
  async createBulk(@Caller() caller: Principal, @MessageBody() { idempotency_key, ...body }: BulkMessage) {
    return (await this.tasks.createBulk(caller, body, idempotency_key)).answer;
  }

  @On('list')
  @Operation('tasks.list')
  list(@Caller() caller: Principal, @MessageBody() filters: ListTasksDto) {
    return this.tasks.list(caller, filters);
  }

  @On('get')
  @Operation('tasks.get')
  get(@Caller() caller: Principal, @MessageBody() { id }: TaskMessage) {
    return this.tasks.get(caller, id);
  }

  @On('update')
  @Operation('tasks.update')
  update(@Caller() caller: Principal, @MessageBody() { id, version, ...body }: UpdateMessage) {
    return this.tasks.patch(caller, id, body, version);
  }

  @On('delete')
  @Operation('tasks.delete')
  async delete(@Caller() caller: Principal, @MessageBody() { id, version }: DeleteMessage) {
    await this.tasks.remove(caller, id, version);
    return {};
  }

  @On('execute')
  @Operation('tasks.execute')
  execute(@Caller() caller: Principal, @MessageBody() { id }: TaskMessage) {
    return this.tasks.execute(caller, id);
  }

  @On('cancel')
  @Operation('tasks.cancel')
  cancel(@Caller() caller: Principal, @MessageBody() { id }: TaskMessage) {
    return this.tasks.cancel(caller, id);
  }

  @On('retry')
  @Operation('tasks.retry')
  retry(@Caller() caller: Principal, @MessageBody() { id }: TaskMessage) {
    return this.tasks.retry(caller, id);
  }

  @On('attempts')
  @Operation('tasks.attempts')
  attempts(@Caller() caller: Principal, @MessageBody() { id, ...page }: HistoryMessage) {
    return this.tasks.attempts(caller, id, page);
  }

  @On('logs')
  @Operation('tasks.logs')
  logs(@Caller() caller: Principal, @MessageBody() { id, ...page }: HistoryMessage) {
    return this.tasks.logs(caller, id, page);
  }

  @On('events')
  @Operation('tasks.events')
  events(@Caller() caller: Principal, @MessageBody() { id, ...page }: HistoryMessage) {
    return this.tasks.events(caller, id, page);
  }
}
