import type { INestApplicationContext } from '@nestjs/common';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import { operationOf } from '../auth/auth.guard.js';
import type { Operation } from '../auth/policy.js';

/** A way in, and the operation of the access policy that it performs. */
export interface AccessRow {
  door: 'rest' | 'socket.io' | 'grpc';
  /** `GET /tasks/:id`, `/tasks create`, `TaskService/CreateTask`. */
  name: string;
  /** Undefined: it is closed to everybody. */
  operation: Operation | undefined;
}

/** What libraries of ours serve by themselves, past every guard. It must be public. */
const served: AccessRow[] = [
  ...['/docs', '/docs/*', '/openapi.json'].map((path) => ({
    door: 'rest' as const,
    name: `GET ${path}`,
    operation: 'docs.read' as const,
  })),
  ...['Check', 'List', 'Watch'].map((name) => ({
    door: 'grpc' as const,
    name: `grpc.health.v1.Health/${name}`,
    operation: 'health.read' as const,
  })),
  ...['v1', 'v1alpha'].map((version) => ({
    door: 'grpc' as const,
    name: `grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    operation: 'docs.read' as const,
  })),
];

type Handler = (...args: unknown[]) => unknown;

/** Everything that a running server takes, as its metadata have it. */
export function accessRows(app: INestApplicationContext): AccessRow[] {
  const scanner = new MetadataScanner();
  const classes = new Set<Function>();
  for (const { controllers, providers } of app.get(ModulesContainer).values())
    for (const { metatype } of [...controllers.values(), ...providers.values()]) if (typeof metatype === 'function') classes.add(metatype);
  const rows = [...classes].flatMap((of) =>
    // Values and factories are among the providers, too.
    (of.prototype ? scanner.getAllMethodNames(of.prototype as object) : []).flatMap((name) => {
      const handler = (of.prototype as Record<string, Handler>)[name]!;
      return namesOf(of, handler).map((row) => ({ ...row, operation: operationOf(handler, of) }));
    }),
  );
  return [...rows, ...served].sort((a, b) => compare(`${a.door} ${a.name}`, `${b.door} ${b.name}`));
}

function namesOf(of: Function, handler: Handler): Pick<AccessRow, 'door' | 'name'>[] {
  const said = (key: string, target: object): unknown => Reflect.getMetadata(key, target);
  const method = said(METHOD_METADATA, handler) as RequestMethod | undefined;
  if (method !== undefined) {
    const path = [of, handler].map((part) => (said(PATH_METADATA, part) as string | undefined)?.replace(/^\/|\/$/g, ''));
    return [{ door: 'rest', name: `${RequestMethod[method]} /${path.filter(Boolean).join('/')}` }];
  }
  const gateway = said('websockets:gateway_options', of) as { namespace: string } | undefined;
  if (gateway && said('websockets:message_mapping', handler)) {
    return [{ door: 'socket.io', name: `/${gateway.namespace} ${said('message', handler) as string}` }];
  }
  const patterns = (said('microservices:pattern', handler) ?? []) as { service: string; rpc: string }[];
  return patterns.map(({ service, rpc }) => ({ door: 'grpc', name: `${service}/${rpc}` }));
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
