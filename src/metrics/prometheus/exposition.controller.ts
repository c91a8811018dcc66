import { Controller, Get, Headers, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Operation } from '../../auth/auth.guard.js';
import { Documented } from '../metrics.openapi.js';
import { expositionFor } from './accept.js';
import { ExpositionService } from './exposition.service.js';

/** What Prometheus scrapes, wherever it asks. */
@Controller('metrics/prometheus')
export class ExpositionController {
  constructor(private readonly exposition: ExpositionService) {}

  @Get()
  @Operation('metrics.scrape')
  @Documented.prometheus
  scrape(@Headers('accept') accept: string | undefined, @Res() reply: FastifyReply) {
    return sendExposition(this.exposition, accept, reply);
  }
}

export async function sendExposition(exposition: ExpositionService, accept: string | undefined, reply: FastifyReply): Promise<void> {
  const { type, body } = await exposition.render(expositionFor(accept));
  reply.header('content-type', type).header('vary', 'accept').send(body);
}
