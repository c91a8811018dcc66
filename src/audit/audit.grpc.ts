import type { ServerWritableStream } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { Call } from '../transport/grpc/call.decorator.js';
import { JsonValue } from '../transport/grpc/json-messages.js';
import { rpcStream } from '../transport/grpc/rpc-stream.js';
import { EventStreams } from '../transport/sse.js';
import type { AuditRecord } from './audit-record.js';
import { ExportAuditDto, ListAuditDto, VerifyAuditDto } from './audit.dto.js';
import { AuditService } from './audit.service.js';

/** The gRPC door: every call is the twin of a REST call. */
@Controller()
@ApiExcludeController()
export class AuditGrpc {
  constructor(
    private readonly audit: AuditService,
    private readonly streams: EventStreams,
  ) {}

  @GrpcMethod('AdminService')
  @Operation('admin.audit')
  async listAudit(@Caller() caller: Principal, @Payload() query: ListAuditDto) {
    const { items, next_cursor } = await this.audit.list(caller, query);
    return { items: items.map(recordMessage), next_cursor };
  }

  @GrpcMethod('AdminService')
  @Operation('admin.audit')
  verifyAudit(@Payload() query: VerifyAuditDto) {
    return this.audit.verify(query);
  }

  @GrpcMethod('AdminService')
  @Operation('admin.audit')
  exportAudit(
    @Caller() caller: Principal,
    @Payload() query: ExportAuditDto,
    @Call() call: ServerWritableStream<unknown, unknown>,
  ): Observable<object> {
    return rpcStream(call, this.streams, (signal) => messages(this.audit.export(caller, query, signal)));
  }
}

async function* messages(pages: AsyncIterable<AuditRecord[]>): AsyncGenerator<object> {
  for await (const records of pages) for (const record of records) yield { record: recordMessage(record) };
}

function recordMessage({ before, after, ...record }: AuditRecord): object {
  return { ...record, before: json(before), after: json(after) };
}

/** As it was kept, and so JSON. */
function json(value: unknown): JsonValue {
  return new JsonValue(value as JsonValue['value']);
}
