import { credentials, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { allows, isPublic, type Operation } from '../../src/auth/policy.js';
import { roles, type Role } from '../../src/auth/principal.js';
import { accessRows, type AccessRow } from '../../src/generate/access-rows.js';
import { GrpcClient, rpcs, type RpcError } from '../support/grpc.js';
import { ServerReflectionClient } from '../support/reflection.js';
import { routesOf } from '../support/routes.js';
import { call, startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket, refusedSocket } from '../support/socket-client.js';

/*
 * Every way into a running server, as the router, the gateways and the served descriptors list them: each has a row in the access policy, and lets in
 * exactly the roles that the row names.
 */

type Caller = 'nobody' | 'viewer' | 'operator' | 'root';

const callers: Caller[] = ['nobody', 'viewer', 'operator', 'root'];
const servers = {} as Record<Caller, TestServer>;
let rows: AccessRow[];
beforeAll(async () => {
  const start = (role: string) => startTestServer({ AUTH_ANONYMOUS_ROLE: role, RUNNER_SLOTS: '0' });
  [servers.nobody, servers.viewer, servers.operator] = await Promise.all([start('none'), start('viewer'), start('operator')]);
  servers.root = servers.nobody;
  rows = accessRows(servers.nobody.server.app);
});
afterEach(closeSockets);
afterAll(() => Promise.all([servers.nobody, servers.viewer, servers.operator].map((server) => server.close())));

const of = (door: AccessRow['door']) => rows.filter((row) => row.door === door);
const names = (door: AccessRow['door']) => of(door).map(({ name }) => name);

/** What the table wants of a caller: let in, or refused with this code. */
function wanted(caller: Caller, operation: Operation): 'in' | 'UNAUTHENTICATED' | 'FORBIDDEN' {
  if (isPublic(operation)) return 'in';
  if (caller === 'nobody') return 'UNAUTHENTICATED';
  return allows({ tenant_id: 'default', name: 'a', role: caller }, operation) ? 'in' : 'FORBIDDEN';
}

const tokenOf = (caller: Caller) => (caller === 'root' ? servers.root.token : undefined);

function codeOf(code: string | undefined): 'in' | 'UNAUTHENTICATED' | 'FORBIDDEN' {
  return code === 'UNAUTHENTICATED' || code === 'FORBIDDEN' ? code : 'in';
}

const nothing = '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b';

test('every route of the router, every message of the gateways and every rpc that is served has a row, and every row names an operation', async () => {
  // Answers to HEAD are those to GET, without a body; files of the docs are those of one row.
  const rowOf = ([method, path]: [string, string]) => {
    const name = `${method.replace('HEAD', 'GET')} ${path}`;
    return name.startsWith('GET /docs/') && !names('rest').includes(name) ? 'GET /docs/*' : name;
  };
  expect([...new Set(routesOf(servers.root).map(rowOf))].toSorted(byText)).toEqual(names('rest').toSorted(byText));

  const reflection = new ServerReflectionClient(servers.root.server.grpcAddress, credentials.createInsecure());
  expect((await reflection.methods()).toSorted(byText)).toEqual(names('grpc').filter(isOurs).toSorted(byText));
  // Libraries add services that reflection does not tell of.
  expect(handledCalls(servers.root).toSorted(byText)).toEqual(names('grpc').toSorted(byText));

  for (const namespace of new Set(names('socket.io').map((name) => name.split(' ')[0]!))) {
    const client = await connectSocket(servers.root.url + namespace, { auth: { token: servers.root.token } });
    const { error } = await ask(client, 'no such message');
    const has = /it has (.*)\.$/.exec(error.detail as string)![1]!.split(', ');
    const known = names('socket.io').filter((name) => name.startsWith(`${namespace} `));
    expect(has.map((message) => `${namespace} ${message}`).toSorted(byText)).toEqual(known.toSorted(byText));
  }
  expect(rows.filter(({ operation }) => operation === undefined)).toEqual([]);
});

const isOurs = (name: string) => !name.startsWith('grpc.');

/** What the gRPC server itself answers; grpc-js keeps it to itself. */
function handledCalls({ server }: TestServer): string[] {
  const [microservice] = server.app.getMicroservices();
  const door = Reflect.get(microservice!, 'serverInstance') as object;
  const { handlers } = Reflect.get(door, 'running') as { handlers: Map<string, unknown> };
  return [...handlers.keys()].map((path) => path.replace(/^\/(arkitect\.v1\.)?/, ''));
}

const byText = (a: string, b: string) => (a < b ? -1 : 1);

test.each(callers)('REST lets %s in where the table does, and nowhere else', async (caller) => {
  const { url } = servers[caller];
  const token = tokenOf(caller);
  for (const { name, operation } of of('rest')) {
    const [method, path] = name.split(' ') as [string, string];
    const controller = new AbortController();
    const response = await fetch(url + path.replace(/:\w+/g, nothing).replace('*', 'swagger-ui.css'), {
      method,
      signal: controller.signal,
      headers: { ...(token && { authorization: `Bearer ${token}` }), ...(method !== 'GET' && { 'content-type': 'application/json' }) },
      ...(method !== 'GET' && { body: '{"nonsense": 1}' }),
    });
    // What begins to answer has let the caller in, and a stream would not end.
    const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json');
    const code = isProblem ? ((await response.json()) as { code: string }).code : undefined;
    controller.abort();
    expect(codeOf(code), name).toBe(wanted(caller, operation!));
  }
});

test.each(callers)('Socket.IO lets %s in where the table does, and nowhere else', async (caller) => {
  const { url } = servers[caller];
  for (const namespace of new Set(names('socket.io').map((name) => name.split(' ')[0]!))) {
    if (caller === 'nobody') {
      expect((await refusedSocket(url + namespace)).data, namespace).toMatchObject({ code: 'UNAUTHENTICATED' });
      continue;
    }
    const client = await connectSocket(url + namespace, { auth: { token: tokenOf(caller) } });
    for (const { name, operation } of of('socket.io').filter((row) => row.name.startsWith(`${namespace} `))) {
      const answer = await ask(client, name.split(' ')[1]!, { nonsense: 1 });
      expect(codeOf(answer.error?.code as string | undefined), name).toBe(wanted(caller, operation!));
    }
  }
});

test.each(callers)('gRPC lets %s in where the table does, and nowhere else', async (caller) => {
  const client = new GrpcClient(servers[caller].server.grpcAddress, tokenOf(caller));
  for (const { name, operation } of of('grpc')) {
    // What grpc-js serves by itself has no guard; other tests call it.
    if (!isOurs(name)) continue;
    const [service, method] = name.split('/') as [string, string];
    expect(codeOf(await outcome(client, `arkitect.v1.${service}`, method)), name).toBe(wanted(caller, operation!));
  }
  client.close();
});

/** The code of the error of a call; `in` once it answers anything. */
function outcome(client: GrpcClient, service: string, method: string): Promise<string> {
  const { requestStream, responseStream } = rpcs.find((rpc) => rpc.service === service && rpc.method === method)!;
  // Not valid where that is possible, so that nothing is done.
  const message = { id: 'no id / of anything', limit: -1, since: -1, task: { name: '' }, tasks: [], hello: { name: '' }, version: -1 };
  if (!requestStream && !responseStream) {
    return client.call(method, message, service).then(
      () => 'in',
      (error: RpcError) => error.reason ?? Promise.reject(error),
    );
  }
  const stream = client.stream(method, requestStream ? undefined : { since: -1 }, service);
  if (requestStream) stream.write(message);
  return new Promise((resolve) => {
    const settle = (code: string) => {
      resolve(code);
      stream.cancel();
    };
    stream.on('data', () => settle('in'));
    stream.on('error', () => undefined);
    stream.on('status', ({ code }: { code: status }) => {
      settle(code === status.PERMISSION_DENIED ? 'FORBIDDEN' : code === status.UNAUTHENTICATED ? 'UNAUTHENTICATED' : 'in');
    });
  });
}

test('what the guard of HTTP lets past is public, whatever token comes with it', async () => {
  for (const { name } of of('rest').filter(({ operation }) => isPublic(operation!))) {
    const answer = await call(servers.nobody.url, 'GET', name.split(' ')[1]!.replace('*', 'swagger-ui.css'), undefined, {
      authorization: 'Bearer wrong',
    });
    expect([200, 404], name).toContain(answer.status);
  }
});

test('admins may do all that operators may, operators all that viewers may, and workers work alone', () => {
  const operations = [...new Set(rows.map(({ operation }) => operation!))].filter((operation) => !isPublic(operation));
  const may = (role: Role) => operations.filter((operation) => allows({ tenant_id: 'default', name: 'a', role }, operation));
  const order: Role[] = ['viewer', 'operator', 'admin', 'root'];
  for (const [index, role] of order.entries())
    for (const lower of order.slice(0, index)) expect(may(role)).toEqual(expect.arrayContaining(may(lower)));
  expect(may('root')).toEqual(operations);
  expect(may('worker')).toEqual(['workers.work']);
  expect(roles.toSorted(byText)).toEqual([...order, 'worker'].toSorted(byText));
});
