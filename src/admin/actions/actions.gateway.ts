import { UseFilters } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage as On, WebSocketGateway } from '@nestjs/websockets';
import type { Socket } from 'socket.io';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { isAdminActionEvent } from '../../events/events.js';
import { ErrorFilter } from '../../transport/error.filter.js';
import { NoFields } from '../../transport/input.pipe.js';
import { requestContext } from '../../transport/request-context.js';
import { ActionSubscriptions } from './action-subscriptions.js';
import { ListRunsDto, PieceMessage, RunActionMessage, RunMessage, SubscribeActionsMessage } from './actions.dto.js';
import { ActionsService } from './actions.service.js';

/** The door of Socket.IO: every message is acknowledged with the answer of its REST twin, or with `{ error }`. */
@WebSocketGateway({ namespace: 'admin' })
@UseFilters(ErrorFilter)
export class ActionsGateway {
  constructor(
    private readonly service: ActionsService,
    private readonly subscriptions: ActionSubscriptions,
  ) {}

  @On('actions')
  @Operation('admin.actions')
  actions(@MessageBody() _body: NoFields) {
    return this.service.describe();
  }

  @On('run_action')
  @Operation('admin.act')
  async run(@Caller() caller: Principal, @MessageBody() { idempotency_key, ...body }: RunActionMessage) {
    const { answer, replayed } = await this.service.run(caller, body, requestContext()?.request_id, idempotency_key);
    return { ...answer, replayed };
  }

  @On('list_actions')
  @Operation('admin.actions')
  list(@MessageBody() query: ListRunsDto) {
    return this.service.list(query);
  }

  @On('get_action')
  @Operation('admin.actions')
  get(@MessageBody() { id }: RunMessage) {
    return this.service.get(id);
  }

  /** The file of REST in pieces, one a message. */
  @On('download_action')
  @Operation('admin.act')
  download(@MessageBody() { id, position }: PieceMessage) {
    return this.service.piece(id, position);
  }

  @On('subscribe_actions')
  @Operation('admin.actions')
  subscribe(@ConnectedSocket() socket: Socket, @MessageBody() { since }: SubscribeActionsMessage) {
    // They are of the whole cluster, whatever the tenant.
    return this.subscriptions.subscribe(socket, { key: 'actions', matches: isAdminActionEvent, since });
  }

  @On('unsubscribe_actions')
  @Operation('admin.actions')
  unsubscribe(@ConnectedSocket() socket: Socket) {
    this.subscriptions.remove(socket);
    return {};
  }
}
