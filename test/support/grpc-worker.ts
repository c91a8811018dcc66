import { withDetails, type GrpcClient, type RpcError } from './grpc.js';
import { until } from './until.js';

export interface TestLease {
  task_id: string;
  attempt: number;
  lease_token: string;
}
export interface TestAssignment {
  lease: TestLease;
  type: string;
  parameters: Record<string, unknown>;
  checkpoint?: object;
  tenant_id: string;
  traceparent?: string;
  tracestate?: string;
}
export interface Welcome {
  worker_id: string;
  heartbeat_ms: number;
  lease_ms: number;
  confirmed?: TestLease[];
  revoked?: TestLease[];
}

/** A worker by hand: says what the test says, keeps what it hears. */
export class HandWorkerStream {
  readonly assigned: TestAssignment[] = [];
  readonly cancelled: TestLease[] = [];
  readonly acks: { settle_id: number; settled?: { task_id: string; status: string; message?: string }[] }[] = [];
  readonly beatAcks: { ok: number; lost?: TestLease[]; cancel?: TestLease[] }[] = [];
  readonly drains: string[] = [];
  welcome: Welcome | undefined;
  error: RpcError | undefined;
  ended = false;
  // oxlint-disable-next-line typescript/no-explicit-any
  private readonly call: any;

  constructor(client: GrpcClient, hello: object) {
    this.call = client.stream('Work', undefined, 'arkitect.v1.WorkerService');
    // oxlint-disable-next-line typescript/no-explicit-any
    this.call.on('data', (message: any) => {
      if (message.welcome) this.welcome = message.welcome as Welcome;
      if (message.assign) this.assigned.push(...(message.assign.tasks as TestAssignment[]));
      if (message.cancel) this.cancelled.push(...(message.cancel.leases as TestLease[]));
      if (message.ack) this.acks.push(message.ack);
      if (message.beat_ack) this.beatAcks.push(message.beat_ack);
      if (message.drain) this.drains.push(message.drain.reason as string);
    });
    this.call.on('error', (error: RpcError) => {
      this.error = withDetails(error);
      this.ended = true;
    });
    this.call.on('end', () => (this.ended = true));
    this.say({ hello: { instance: 'instance-1', slots: 10, ...hello } });
  }

  /** Connected, with room for `slots` tasks. */
  static async start(client: GrpcClient, hello: object, slots = 10): Promise<HandWorkerStream> {
    const worker = new HandWorkerStream(client, hello);
    await until('the worker to be welcomed', () => worker.welcome !== undefined || worker.ended);
    if (worker.error) throw worker.error;
    if (slots) worker.say({ credit: { slots } });
    return worker;
  }

  say(message: object): void {
    this.call.write(message);
  }

  async assignments(count: number): Promise<TestAssignment[]> {
    await until(`${count} tasks to be assigned`, () => this.assigned.length >= count);
    return this.assigned;
  }

  /** Settles and waits for the acknowledgement. */
  async settle(message: { complete?: object[]; fail?: object[]; credit?: number }) {
    const settle_id = this.acks.length + 1;
    this.say({ settle: { ...message, settle_id } });
    await until('the results to be acknowledged', () => this.acks.some((ack) => ack.settle_id === settle_id) || this.ended);
    return this.acks.find((ack) => ack.settle_id === settle_id)?.settled ?? [];
  }

  async beat(leases: object[]) {
    const heard = this.beatAcks.length;
    this.say({ beat: { leases } });
    await until('the beat to be acknowledged', () => this.beatAcks.length > heard);
    return this.beatAcks.at(-1)!;
  }

  /** Says goodbye. */
  finish(): void {
    this.call.end();
  }

  /** Breaks the stream. */
  cut(): void {
    this.call.cancel();
  }
}
