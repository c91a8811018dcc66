import { Controller, Module, UseFilters } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod } from '@nestjs/microservices';
import { concat, NEVER, of, throwError, type Observable } from 'rxjs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { GrpcClient } from '../../../test/support/grpc.js';
import { until } from '../../../test/support/until.js';
import { CodedError } from '../../errors/coded-error.js';
import { loadSettings } from '../../settings.js';
import { ErrorFilter } from '../error.filter.js';
import { requestContext, type RequestContext } from '../request-context.js';
import { RequestObserver } from '../request-observer.js';
import type { RequestOrigin } from '../request-recorder.js';
import { GrpcDoor } from './grpc-door.js';

/* Streams of operations that are audited: their clients learn of the end once that is recorded. */

const message = { event: { seq: 1 } };
let answers: Observable<object>;

@Controller()
@UseFilters(ErrorFilter)
class Streams {
  @GrpcMethod('TaskService')
  watchTasks(): Observable<object> {
    requestContext()!.audit = { operation: 'admin.act', changes: [], more: 0, unchanged: false, recorded: false };
    return answers;
  }
}

@Module({ controllers: [Streams] })
class StreamsModule {}

const recorded: { failure: string | undefined; origin: RequestOrigin }[] = [];
let write: () => Promise<void>;
const recorder = {
  record({ audit, failure }: RequestContext, origin: RequestOrigin) {
    if (!audit || audit.recorded) return undefined;
    audit.recorded = true;
    return write().then(() => void recorded.push({ failure, origin }));
  },
};

let door: GrpcDoor;
let client: GrpcClient;
beforeAll(async () => {
  const { settings } = loadSettings({ GRPC_PORT: '0' }, '/nonexistent');
  door = new GrpcDoor(settings, new RequestObserver(), () => undefined, undefined, recorder);
  const app = await NestFactory.createMicroservice(StreamsModule, { strategy: door, logger: false });
  await app.listen();
  client = new GrpcClient(`127.0.0.1:${door.port}`);
});
afterAll(async () => {
  client.close();
  await door.close();
});
beforeEach(() => {
  recorded.length = 0;
  write = () => new Promise((resolve) => setImmediate(resolve));
});

test('a stream that ends is recorded before its end, with the address of the client', async () => {
  answers = of(message, message);
  expect(await client.call('WatchTasks')).toHaveLength(2);
  expect(recorded).toEqual([{ failure: undefined, origin: { door: 'grpc', address: '127.0.0.1', target: null } }]);
});

test('a stream that fails is recorded with what it is told', async () => {
  answers = concat(
    of(message),
    throwError(() => new CodedError('CONFLICT', 'Too late.')),
  );
  await expect(client.call('WatchTasks')).rejects.toMatchObject({ reason: 'CONFLICT' });
  expect(recorded).toMatchObject([{ failure: 'CONFLICT' }]);
});

test('a stream that cannot be recorded ends with that error', async () => {
  answers = of(message);
  write = () => Promise.reject(new CodedError('INTERNAL', 'It could not be recorded.'));
  await expect(client.call('WatchTasks')).rejects.toMatchObject({ reason: 'INTERNAL', details: 'It could not be recorded.' });
});

test('a stream whose client leaves is recorded, too', async () => {
  answers = concat(of(message), NEVER);
  const stream = client.stream('WatchTasks', {});
  stream.on('error', () => undefined);
  stream.once('data', () => stream.cancel());
  await until('the record', () => recorded.length === 1);
});
