import { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapSnapshot } from 'node:v8';
import { Inject, Injectable } from '@nestjs/common';
import { CodedError } from '../../../errors/coded-error.js';
import { REPLICA_ID } from '../../../workers/workers.tokens.js';
import { action, type Action, type Outcome, type RunContext } from '../action.js';
import { MaybeReplicaDto, ProfileDto } from '../parameters.dto.js';

/** What a process is made of, and what it does. */
@Injectable()
export class ProfileActions {
  /** Two at once would each see the other, and pause the process twice. */
  private busy = false;

  constructor(@Inject(REPLICA_ID) private readonly replicaId: string) {}

  readonly actions: Action[] = [
    action<MaybeReplicaDto>({
      name: 'heap_snapshot',
      description:
        'All that is in the memory of a replica, for the Memory tab of Chrome DevTools. It holds what the process knows, tokens and data of tasks among it, so keep it like one. ' +
        'The process answers nobody while it is taken, which is seconds.',
      danger: 'sensitive',
      role: 'root',
      parameters: MaybeReplicaDto,
      scope: 'one',
      job: true,
      file: true,
      run: (_parameters, context) => this.alone(() => this.snapshot(context)),
    }),
    action<ProfileDto>({
      name: 'cpu_profile',
      description:
        'What a replica spends its time with, for the Performance tab of Chrome DevTools: names of functions and files, no data.',
      danger: 'safe',
      role: 'admin',
      parameters: ProfileDto,
      scope: 'one',
      job: true,
      file: true,
      run: ({ seconds }, context) => this.alone(() => this.profile(seconds, context)),
    }),
  ];

  private async snapshot({ progress, file }: RunContext): Promise<Outcome> {
    progress(10, 'The snapshot is taken.');
    await file(`${this.replicaId}.heapsnapshot`, getHeapSnapshot() as AsyncIterable<Buffer>);
    return { result: { replica_id: this.replicaId, heap_bytes: process.memoryUsage().heapUsed } };
  }

  private async profile(seconds: number, { progress, file, signal }: RunContext): Promise<Outcome> {
    progress(10, `The replica is watched for ${seconds} seconds.`);
    // A session of this very thread: the inspector listens on no port.
    const session = new Session();
    session.connect();
    try {
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      await sleep(seconds * 1_000, undefined, { signal }).catch(() => undefined);
      const { profile } = await session.post('Profiler.stop');
      if (signal.aborted) throw new CodedError('UNAVAILABLE', 'The replica was stopped meanwhile. Run the action again.');
      await file(`${this.replicaId}.cpuprofile`, once(JSON.stringify(profile)));
      return { result: { replica_id: this.replicaId, seconds } };
    } finally {
      session.disconnect();
    }
  }

  private async alone(work: () => Promise<Outcome>): Promise<Outcome> {
    if (this.busy)
      throw new CodedError('CONFLICT', `The replica ${this.replicaId} is being looked at already. Wait for the end of that run.`);
    this.busy = true;
    try {
      return await work();
    } finally {
      this.busy = false;
    }
  }
}

async function* once(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}
