import { Catch, Logger, NotFoundException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { throwError, type Observable } from 'rxjs';
import type { Socket } from 'socket.io';
import { CodedError } from '../errors/coded-error.js';
import { toRpcStatus } from './grpc/rpc-status.js';
import { problemHeaders, toProblem, type Problem } from './problem.js';
import { requestContext } from './request-context.js';

const logger = new Logger('ErrorFilter');

/**
 * The one filter of REST, Socket.IO and gRPC. Global for HTTP and gRPC; Nest runs no global filter for gateways, so each of
 * them carries `@UseFilters(ErrorFilter)`.
 */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void | Observable<never> {
    switch (host.getType()) {
      case 'http':
        return answerHttp(error, host.switchToHttp().getRequest(), host.switchToHttp().getResponse());
      case 'ws':
        return answerSocket(error, host);
      default:
        return throwError(() => toRpcStatus(toLoggedProblem(error)));
    }
  }
}

function answerHttp(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  // Services throw coded errors, so this one is Nest's "no such route". What a hook refused on the way there is more precise.
  const isUnknownRoute = thrown instanceof NotFoundException;
  const methods = isUnknownRoute ? request.server.allowedMethods(request.url) : [];
  // A route that takes the method, and finds nothing there all the same (a file of the docs), has no other to offer.
  const allowed = methods.includes(request.method) ? [] : methods;
  const error = isUnknownRoute ? unknownRoute(request, allowed) : thrown;
  const problem = toLoggedProblem(error);
  if (reply.sent || reply.raw.headersSent) {
    // The answer has begun: cutting it short is the only way left to say that it is not whole.
    reply.raw.destroy();
    return;
  }
  if (allowed.length > 0) reply.header('allow', allowed.join(', '));
  reply.status(problem.status).headers(problemHeaders(problem)).send(JSON.stringify(problem));
}

function unknownRoute(request: FastifyRequest, allowed: string[]): CodedError {
  const path = request.url.split('?', 1)[0]?.slice(0, 200);
  return allowed.length > 0
    ? new CodedError('METHOD_NOT_ALLOWED', `${path} does not take ${request.method}; it takes ${allowed.join(', ')}.`)
    : new CodedError('NOT_FOUND', `There is no ${request.method} ${path}. GET /docs lists what there is.`);
}

function answerSocket(error: unknown, host: ArgumentsHost): void {
  const problem = toLoggedProblem(error);
  const ack = host.getArgs<unknown[]>().find((argument) => typeof argument === 'function');
  if (ack) ack({ error: problem });
  else host.switchToWs().getClient<Socket>().emit('exception', { error: problem });
}

/** The problem of an error; what is the server's fault goes to the log with everything the client does not see. */
export function toLoggedProblem(error: unknown): Problem {
  const context = requestContext();
  const problem = toProblem(error, context?.request_id);
  if (context) context.failure = problem.code;
  if (problem.code === 'INTERNAL') logger.error(error instanceof Error ? error : new Error(`Not an Error was thrown: ${String(error)}`));
  if (problem.code === 'UNAVAILABLE') warnOfOutage(error);
  return problem;
}

let quietUntil = 0;

/** One line a second: during an outage every request ends here, and the lines would all say the same. */
function warnOfOutage(error: unknown): void {
  if (performance.now() < quietUntil) return;
  quietUntil = performance.now() + 1_000;
  logger.warn(`Answering UNAVAILABLE: ${error instanceof Error ? error.message : String(error)}`);
}
