import type { ServerWritableStream } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { invalid } from '../errors/coded-error.js';
import { EventWatch } from '../events/event-watch.js';
import { validateInput } from '../input/validate.js';
import { Call } from '../transport/grpc/call.decorator.js';
import { rpcStream } from '../transport/grpc/rpc-stream.js';
import { EventStreams } from '../transport/sse.js';
import { eventFilter } from './event-filter.js';
import { ListTasksDto } from './task-filters.dto.js';
import { CreateTaskDto, PatchTaskDto, TaskFieldsDto } from './tasks.dto.js';
import { eventMessage, historyMessage, logMessage, taskMessage, watchMessage } from './tasks.grpc-messages.js';
import {
  BulkMessage,
  CreateRpc,
  DeleteMessage,
  ExecuteRpc,
  HistoryMessage,
  ReplaceRpc,
  SubscribeMessage,
  TaskMessage,
  UpdateRpc,
} from './tasks.messages.js';
import { TasksService } from './tasks.service.js';

/** The gRPC door: every call is the twin of a REST call. */
@Controller()
@ApiExcludeController()
export class TasksGrpc {
  constructor(
    private readonly tasks: TasksService,
    private readonly watch: EventWatch,
    private readonly streams: EventStreams,
  ) {}

  @GrpcMethod('TaskService')
  @Operation('tasks.create')
  async createTask(@Caller() caller: Principal, @Payload() { task: body, idempotency_key, wait_seconds }: CreateRpc) {
    const input = validateInput(CreateTaskDto, body);
    if (wait_seconds !== undefined && input.start !== 'auto' && !input.run_at) {
      throw invalid([{ field: 'wait_seconds', message: 'needs a task that starts by itself: send start: auto with it' }]);
    }
    const { answer, replayed } = await this.tasks.create(caller, input, idempotency_key);
    const task = wait_seconds === undefined ? answer : await this.tasks.waitForEnd(caller, answer.id, wait_seconds);
    return { task: taskMessage(task), replayed };
  }

  @GrpcMethod('TaskService')
  @Operation('tasks.create')
  async createTasks(@Caller() caller: Principal, @Payload() { idempotency_key, ...body }: BulkMessage) {
    const { answer, replayed } = await this.tasks.createBulk(caller, body, idempotency_key);
    const items = answer.items.map((item) => ('task' in item ? { ...item, task: taskMessage(item.task) } : item));
    return { ...answer, items, replayed };
  }

  @GrpcMethod('TaskService')
  @Operation('tasks.get')
  async getTask(@Caller() caller: Principal, @Payload() { id }: TaskMessage) {
    return { task: taskMessage(await this.tasks.get(caller, id)) };
  }

  @GrpcMethod('TaskService')
  @Operation('tasks.list')
  async listTasks(@Caller() caller: Principal, @Payload() filters: ListTasksDto) {
    const { items, next_cursor } = await this.tasks.list(caller, filters);
    return { items: items.map(taskMessage), next_cursor };
  }

  @GrpcMethod('TaskService')
  @Operation('tasks.update')
  async replaceTask(@Caller() caller: Principal, @Payload() { id, task, version }: ReplaceRpc) {
    return { task: taskMessage(await this.tasks.replace(caller, id, validateInput(TaskFieldsDto, task), version)) };
  }

  @GrpcMethod('TaskService')
  @Operation('tasks.update')
  async updateTask(@Caller() caller: Principal, @Payload() { id, task, version, remove_labels = [] }: UpdateRpc) {
    const input = validateInput(PatchTaskDto, task);
    if (remove_labels.length) input.labels = { ...input.labels, ...Object.fromEntries(remove_labels.map((key) => [key, null])) };
    return { task: taskMessage(await this.tasks.patch(caller, id, input, version)) };
  }

  @GrpcMethod('TaskService')
  @Operation('tasks.delete')
  async deleteTask(@Caller() caller: Principal, @Payload() { id, version }: DeleteMessage) {
    await this.tasks.remove(caller, id, version);
    return {};
  }

  @GrpcMethod('TaskService')
  @Operation('tasks.execute')
  async executeTask(@Caller() caller: Principal, @Payload() { id, wait_seconds }: ExecuteRpc) {
    const task = await this.tasks.execute(caller, id);
    return { task: taskMessage(wait_seconds === undefined ? task : await this.tasks.waitForEnd(caller, id, wait_seconds)) };
  }

  @GrpcMethod('TaskService')
  @Operation('tasks.cancel')
  async cancelTask(@Caller() caller: Principal, @Payload() { id }: TaskMessage) {
    return { task: taskMessage(await this.tasks.cancel(caller, id)) };
  }

  @GrpcMethod('TaskService')
  @Operation('tasks.retry')
  async retryTask(@Caller() caller: Principal, @Payload() { id }: TaskMessage) {
    return { task: taskMessage(await this.tasks.retry(caller, id)) };
  }

  @GrpcMethod('TaskService')
  @Operation('tasks.attempts')
  async listTaskAttempts(@Caller() caller: Principal, @Payload() { id, ...page }: HistoryMessage) {
    return this.tasks.attempts(caller, id, page);
  }

  @GrpcMethod('TaskService')
  @Operation('tasks.logs')
  async listTaskLogs(@Caller() caller: Principal, @Payload() { id, ...page }: HistoryMessage) {
    return historyMessage(await this.tasks.logs(caller, id, page), logMessage);
  }

  @GrpcMethod('TaskService')
  @Operation('tasks.events')
  async listTaskEvents(@Caller() caller: Principal, @Payload() { id, ...page }: HistoryMessage) {
    return historyMessage(await this.tasks.events(caller, id, page), eventMessage);
  }

  @GrpcMethod('TaskService')
  @Operation('tasks.subscribe')
  watchTasks(
    @Caller() caller: Principal,
    @Payload() filters: SubscribeMessage,
    @Call() call: ServerWritableStream<unknown, unknown>,
  ): Observable<object> {
    return rpcStream(call, this.streams, (signal) =>
      watchMessages(this.watch.watch(eventFilter(caller.tenant_id, filters), filters.since, signal)),
    );
  }
}

async function* watchMessages(watched: ReturnType<EventWatch['watch']>): AsyncGenerator<object> {
  for await (const item of watched) yield watchMessage(item);
}
