import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Operation } from '../auth/auth.guard.js';
import { CodedError } from '../errors/coded-error.js';
import { problemHeaders, toProblem } from '../transport/problem.js';
import { requestContext } from '../transport/request-context.js';
import { Documented } from './health.openapi.js';
import { HealthService, type HealthReport } from './health.service.js';

/** Probes for load balancers and orchestrators: 200 with Terminus' answer, or 503 as a problem that carries the same `details`. */
@Controller('health')
@Operation('health.read')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get('live')
  @Documented.live
  async live(@Res({ passthrough: true }) reply: FastifyReply) {
    return answer(await this.health.live(), reply);
  }

  @Get('ready')
  @Documented.ready
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    return answer(await this.health.ready(), reply);
  }

  @Get('startup')
  @Documented.startup
  async startup(@Res({ passthrough: true }) reply: FastifyReply) {
    return answer(await this.health.startup(), reply);
  }
}

function answer(report: HealthReport, reply: FastifyReply): unknown {
  reply.header('cache-control', 'no-store');
  if (report.status === 'ok' || report.status === 'degraded') return report;
  const down = Object.keys(report.error ?? {});
  const sentence = down.length > 0 ? `Down: ${down.join(', ')}.` : 'The server is shutting down.';
  const problem = toProblem(new CodedError('UNAVAILABLE', sentence), requestContext()?.request_id);
  reply.status(problem.status).headers(problemHeaders(problem));
  const { error, details, degraded } = report;
  return { ...problem, error, details, degraded };
}
