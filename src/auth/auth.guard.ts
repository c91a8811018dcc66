import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable, SetMetadata, createParamDecorator, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Socket } from 'socket.io';
import { CodedError } from '../errors/coded-error.js';
import { SETTINGS, type Settings } from '../settings.js';
import { headersOf, rpcCallOf } from '../transport/grpc/rpc-call.js';
import { requestContext } from '../transport/request-context.js';
import { Authenticator } from './authenticator.js';
import { allows, isAudited, isPaused, isPublic, type Operation as OperationName } from './policy.js';
import type { Principal } from './principal.js';

const OPERATION = Symbol('operation');

declare module 'fastify' {
  interface FastifyRequest {
    principal?: Principal;
  }
}

/** Names the operation of `policy.ts` that a handler performs. A handler without one is refused to everybody. */
export const Operation = (operation: OperationName) => SetMetadata(OPERATION, operation);

/** The operation that a handler, or its class, names. */
export function operationOf(handler: object, of: object): OperationName | undefined {
  return (Reflect.getMetadata(OPERATION, handler) ?? Reflect.getMetadata(OPERATION, of)) as OperationName | undefined;
}

/** The principal that the guard let through; `undefined` only for public operations. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext) => principalOf(context));

/** Global guard of all doors: deny unless the policy allows. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const operation = this.reflector.getAllAndOverride<OperationName | undefined>(OPERATION, [context.getHandler(), context.getClass()]);
    if (operation === undefined) {
      throw new CodedError('FORBIDDEN', 'This call is closed to everybody: it names no operation of the access policy.');
    }
    // A probe must answer whatever token it carries, so public operations do not even look at it.
    if (isPublic(operation)) return true;
    const principal = this.identify(context);
    if (!principal) {
      throw new CodedError(
        'UNAUTHENTICATED',
        'This needs a token. Send it as "Authorization: Bearer TOKEN", or over Socket.IO as auth.token.',
      );
    }
    const request = isAudited(operation) && requestContext();
    // Also what is refused from here on is recorded.
    if (request) request.audit = { operation, changes: [], more: 0, unchanged: false, recorded: false };
    if (!allows(principal, operation)) {
      throw new CodedError('FORBIDDEN', `The role ${principal.role} does not allow ${operation}. Use a token whose role does.`);
    }
    if (this.settings.MAINTENANCE_MODE && isPaused(operation)) {
      throw new CodedError(
        'UNAVAILABLE',
        'The server is in maintenance: it answers reads, and takes no changes. Try again later; an admin ends it by setting MAINTENANCE_MODE to false (POST /config).',
      );
    }
    return true;
  }

  private identify(context: ExecutionContext): Principal | undefined {
    // Sockets are authenticated once, at their handshake.
    if (context.getType() === 'ws') return principalOf(context);
    const [target, headers] = callerOf(context);
    target.principal = this.authenticator.authenticate(headers);
    const current = requestContext();
    if (current) current.principal = target.principal;
    return target.principal;
  }
}

function principalOf(context: ExecutionContext): Principal | undefined {
  if (context.getType() === 'ws') return (context.switchToWs().getClient<Socket>().data as { principal?: Principal }).principal;
  return callerOf(context)[0].principal;
}

/** What keeps the principal of a request or a call, and its headers. */
function callerOf(context: ExecutionContext): [{ principal?: Principal }, IncomingHttpHeaders] {
  if (context.getType() === 'http') {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    return [request, request.headers];
  }
  const call = rpcCallOf(context);
  return [call, headersOf(call)];
}
