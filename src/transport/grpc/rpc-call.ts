import type { ExecutionContext, ArgumentsHost } from '@nestjs/common';
import type { Metadata, ServerDuplexStream, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '../../auth/principal.js';
import { targetOf, type RequestOrigin } from '../request-recorder.js';
import { parseTraceContext, type TraceContext } from '../../tracing/trace-context.js';

type AnyCall = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>;

/** One call, with what the auth guard found out of it. */
export type RpcCall = AnyCall & { principal?: Principal; getHost(): string };

/** Nest hands over (message, metadata, call), or for streams of both directions the call alone. */
export function rpcCallOf(context: ExecutionContext | ArgumentsHost): RpcCall {
  const args = context.getArgs<[unknown, Metadata, RpcCall] | [RpcCall]>();
  return (args[2] ?? args[0]) as RpcCall;
}

/** Metadata as the headers that HTTP has for the same; `host` is the authority that was called. */
export function headersOf(call: RpcCall): IncomingHttpHeaders {
  const headers = Object.fromEntries(Object.entries(call.metadata.getMap()).filter(([, value]) => typeof value === 'string'));
  return { ...(headers as Record<string, string>), host: call.getHost() };
}

/** The trace that the caller named. */
export function traceOf({ metadata }: RpcCall): TraceContext | undefined {
  const [traceparent, another] = metadata.get('traceparent');
  if (traceparent === undefined || another !== undefined) return undefined;
  return parseTraceContext(traceparent, metadata.get('tracestate').join(',') || undefined);
}

/** Where it came from, without the port. */
export function originOf(call: RpcCall): RequestOrigin {
  const address = call.getPeer().replace(/^(ipv[46]:)?\[?|\]?:\d+$/g, '');
  return { door: 'grpc', address: address === 'unknown' ? undefined : address, target: targetOf('request' in call && call.request) };
}
