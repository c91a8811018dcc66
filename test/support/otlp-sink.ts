import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';
import { until } from './until.js';

const string = (id: number) => ({ type: 'string', id });
const bytes = (id: number) => ({ type: 'bytes', id });
const many = (type: string, id: number) => ({ rule: 'repeated', type, id });

/** The part of opentelemetry/proto that is looked at. Field numbers are those of its files. */
const root = protobuf.Root.fromJSON({
  nested: {
    ExportTraceServiceRequest: { fields: { resource_spans: many('ResourceSpans', 1) } },
    ResourceSpans: { fields: { resource: { type: 'Resource', id: 1 }, scope_spans: many('ScopeSpans', 2) } },
    Resource: { fields: { attributes: many('KeyValue', 1) } },
    ScopeSpans: { fields: { spans: many('Span', 2) } },
    KeyValue: { fields: { key: string(1), value: { type: 'AnyValue', id: 2 } } },
    AnyValue: {
      fields: {
        string_value: string(1),
        bool_value: { type: 'bool', id: 2 },
        int_value: { type: 'int64', id: 3 },
        double_value: { type: 'double', id: 4 },
      },
    },
    Span: {
      fields: {
        trace_id: bytes(1),
        span_id: bytes(2),
        trace_state: string(3),
        parent_span_id: bytes(4),
        name: string(5),
        kind: { type: 'int32', id: 6 },
        start_time_unix_nano: { type: 'fixed64', id: 7 },
        end_time_unix_nano: { type: 'fixed64', id: 8 },
        attributes: many('KeyValue', 9),
        status: { type: 'Status', id: 15 },
      },
    },
    Status: { fields: { message: string(2), code: { type: 'int32', id: 3 } } },
  },
});

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

type Attributes = Record<string, unknown>;

export interface SunkSpan {
  trace_id: string;
  span_id: string;
  /** Empty without one. */
  parent: string;
  trace_state: string;
  name: string;
  kind: string;
  attributes: Attributes;
  resource: Attributes;
  failed: boolean;
  milliseconds: number;
}

interface Plain {
  resource_spans?: { resource?: { attributes?: KeyValue[] }; scope_spans?: { spans?: PlainSpan[] }[] }[];
}
interface KeyValue {
  key: string;
  value?: Record<string, unknown>;
}
interface PlainSpan {
  trace_id: Buffer;
  span_id: Buffer;
  parent_span_id?: Buffer;
  trace_state?: string;
  name: string;
  kind: number;
  start_time_unix_nano: number;
  end_time_unix_nano: number;
  attributes?: KeyValue[];
  status?: { code?: number };
}

/** A collector: a real HTTP server that takes OTLP as protobuf. */
export class OtlpSink implements AsyncDisposable {
  readonly spans: SunkSpan[] = [];
  readonly headers: IncomingHttpHeaders[] = [];

  private readonly server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.headers.push(request.headers);
      if (request.url === '/v1/traces') this.spans.push(...decode(Buffer.concat(chunks)));
      response.writeHead(this.status, { 'content-type': 'application/x-protobuf' }).end();
    });
  });

  /** What it answers. */
  status = 200;

  static async start(): Promise<OtlpSink> {
    const sink = new OtlpSink();
    await once(sink.server.listen(0, '127.0.0.1'), 'listening');
    return sink;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The spans of a trace, once there are so many of them. */
  async trace(traceId: string, count: number): Promise<SunkSpan[]> {
    const of = () => this.spans.filter(({ trace_id }) => trace_id === traceId);
    return until(`${count} spans of ${traceId}; there are ${of().length}`, () => of().length >= count && of());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
  }
}

function decode(body: Buffer): SunkSpan[] {
  const type = root.lookupType('ExportTraceServiceRequest');
  const request = type.toObject(type.decode(body), { longs: Number }) as Plain;
  return (request.resource_spans ?? []).flatMap(({ resource, scope_spans = [] }) =>
    scope_spans.flatMap(({ spans = [] }) => spans.map((span) => toSpan(span, attributesOf(resource?.attributes)))),
  );
}

function toSpan(span: PlainSpan, resource: Attributes): SunkSpan {
  return {
    trace_id: span.trace_id.toString('hex'),
    span_id: span.span_id.toString('hex'),
    parent: span.parent_span_id?.toString('hex') ?? '',
    trace_state: span.trace_state ?? '',
    name: span.name,
    kind: kinds[span.kind]!,
    attributes: attributesOf(span.attributes),
    resource,
    failed: span.status?.code === 2,
    milliseconds: (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
  };
}

function attributesOf(pairs: KeyValue[] = []): Attributes {
  return Object.fromEntries(pairs.map(({ key, value = {} }) => [key, Object.values(value)[0]]));
}
