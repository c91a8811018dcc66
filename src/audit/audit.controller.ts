import { Readable } from 'node:stream';
import { Controller, Get, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { EventStreams } from '../transport/sse.js';
import { ExportAuditDto, ListAuditDto, VerifyAuditDto } from './audit.dto.js';
import { Documented } from './audit.openapi.js';
import { AuditService } from './audit.service.js';

/** The REST door. */
@Controller('admin/audit')
export class AuditController {
  constructor(
    private readonly audit: AuditService,
    private readonly streams: EventStreams,
  ) {}

  @Get()
  @Operation('admin.audit')
  @Documented.list
  list(@Caller() caller: Principal, @Query() query: ListAuditDto) {
    return this.audit.list(caller, query);
  }

  @Get('verify')
  @Operation('admin.audit')
  @Documented.verify
  verify(@Query() query: VerifyAuditDto) {
    return this.audit.verify(query);
  }

  @Get('export')
  @Operation('admin.audit')
  @Documented.export
  async export(@Caller() caller: Principal, @Query() query: ExportAuditDto, @Res() reply: FastifyReply) {
    const controller = new AbortController();
    const { audit, streams } = this;
    const lines = Readable.from(
      (async function* () {
        for await (const records of audit.export(caller, query, controller.signal)) {
          // An answer that is cut short must not look whole.
          if (streams.stopping) throw new Error('The server is stopping.');
          yield records.map((record) => `${JSON.stringify(record)}\n`).join('');
        }
      })(),
      { highWaterMark: 1 },
    );
    lines.once('close', () => controller.abort());
    return reply
      .header('content-type', 'application/x-ndjson')
      .header('content-disposition', 'attachment; filename="audit.ndjson"')
      .header('cache-control', 'no-store')
      .send(lines);
  }
}
