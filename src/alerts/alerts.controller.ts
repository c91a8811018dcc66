import { Body, Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { HistoryPageDto } from '../input/query.js';
import { Id } from '../transport/input.pipe.js';
import { AcknowledgeDto, AlertStatsDto, CreateAlertDto, ListAlertsDto, ResolveDto } from './alerts.dto.js';
import { Documented } from './alerts.openapi.js';
import { AlertsService } from './alerts.service.js';

/** The REST door. */
@Controller('alerts')
export class AlertsController {
  constructor(private readonly alerts: AlertsService) {}

  @Post()
  @Operation('alerts.create')
  @Documented.create
  async create(@Caller() caller: Principal, @Body() body: CreateAlertDto, @Res({ passthrough: true }) reply: FastifyReply) {
    const { alert, created } = await this.alerts.create(caller, body);
    reply.header('location', `/alerts/${alert.id}`).status(created ? 201 : 200);
    return alert;
  }

  @Get()
  @Operation('alerts.list')
  @Documented.list
  list(@Caller() caller: Principal, @Query() filters: ListAlertsDto) {
    return this.alerts.list(caller, filters);
  }

  @Get('stats')
  @Operation('alerts.list')
  @Documented.stats
  stats(@Caller() caller: Principal, @Query() query: AlertStatsDto) {
    return this.alerts.stats(caller, query);
  }

  @Get(':id')
  @Operation('alerts.get')
  @Documented.get
  get(@Caller() caller: Principal, @Id('an alert') id: string) {
    return this.alerts.get(caller, id);
  }

  @Get(':id/history')
  @Operation('alerts.get')
  @Documented.history
  history(@Caller() caller: Principal, @Id('an alert') id: string, @Query() page: HistoryPageDto) {
    return this.alerts.history(caller, id, page);
  }

  @Post(':id/acknowledge')
  @HttpCode(200)
  @Operation('alerts.acknowledge')
  @Documented.acknowledge
  acknowledge(@Caller() caller: Principal, @Id('an alert') id: string, @Body() body: AcknowledgeDto) {
    return this.alerts.acknowledge(caller, id, body);
  }

  @Post(':id/resolve')
  @HttpCode(200)
  @Operation('alerts.resolve')
  @Documented.resolve
  resolve(@Caller() caller: Principal, @Id('an alert') id: string, @Body() body: ResolveDto) {
    return this.alerts.resolve(caller, id, body);
  }
}
