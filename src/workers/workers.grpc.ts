import type { ServerDuplexStream } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod, GrpcStreamCall, Payload } from '@nestjs/microservices';
import { ApiExcludeController } from '@nestjs/swagger';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { toLoggedProblem } from '../transport/error.filter.js';
import { Call } from '../transport/grpc/call.decorator.js';
import { toRpcStatus } from '../transport/grpc/rpc-status.js';
import { WorkerPool } from './worker-pool.js';
import { WorkerStream } from './worker-stream.js';
import { WorkerIdDto } from './workers.dto.js';
import { WorkersService } from './workers.service.js';

/** The gRPC door of workers. */
@Controller()
@ApiExcludeController()
export class WorkersGrpc {
  constructor(
    private readonly workers: WorkersService,
    private readonly pool: WorkerPool,
  ) {}

  @GrpcStreamCall('WorkerService')
  @Operation('workers.work')
  work(@Call() call: ServerDuplexStream<unknown, unknown>, @Caller() caller: Principal): void {
    new WorkerStream(call, caller, this.pool, (error) => call.emit('error', toRpcStatus(toLoggedProblem(error)))).run();
  }

  @GrpcMethod('WorkerService')
  @Operation('workers.list')
  listWorkers(@Caller() caller: Principal) {
    return this.workers.list(caller);
  }

  @GrpcMethod('WorkerService')
  @Operation('workers.manage')
  async drainWorker(@Caller() caller: Principal, @Payload() { id }: WorkerIdDto) {
    await this.workers.drain(caller, id);
    return {};
  }

  @GrpcMethod('WorkerService')
  @Operation('workers.manage')
  async disconnectWorker(@Caller() caller: Principal, @Payload() { id }: WorkerIdDto) {
    await this.workers.disconnect(caller, id);
    return {};
  }
}
