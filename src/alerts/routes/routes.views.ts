import { ApiProperty } from '@nestjs/swagger';
import type { Labels } from '../alert.js';
import type { TakenRoute, Way } from '../flow/flow.service.js';
import { DefaultRouteDto, InhibitionDto, RouteDto } from './routes.dto.js';
import type { RoutingAnswer } from './routes.service.js';

/* What /docs and openapi.json say of routes. The classes are never made: TypeScript checks that they say what the views hold. */

export class RoutingView implements RoutingAnswer {
  @ApiProperty({ type: () => [RouteDto], description: 'In order: the first that matches takes the alert.' })
  routes: RouteDto[];

  @ApiProperty({ type: () => DefaultRouteDto, description: 'Of what no route takes.' })
  default_route: DefaultRouteDto;

  @ApiProperty({ type: () => [InhibitionDto] })
  inhibitions: InhibitionDto[];

  @ApiProperty({ type: 'integer', description: 'Grows with each change; also the ETag. 0: nobody has changed it.', example: 1 })
  version: number;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: '2026-12-01T06:00:00.000Z' })
  updated_at: string | null;

  @ApiProperty({ type: 'string', nullable: true, example: 'root' })
  updated_by: string | null;
}

const ids = (description: string) => ApiProperty({ type: [String], description, example: [] });

class TakenRouteView implements TakenRoute {
  @ApiProperty({ type: String, description: '`default` where no route takes it.', example: 'database' })
  route: string;

  @ApiProperty({ type: [String], description: 'Channels that are told, and on.', example: ['ops'] })
  channels: string[];

  @ApiProperty({ type: String, description: 'As notifications carry it.', example: 'database/5f2d1c0b9a887766554433221100ffee' })
  group_key: string;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, example: { alertname: 'BackupFailed' } })
  group_labels: Labels;

  @ApiProperty({ type: 'integer', description: 'How long it would wait for more.', example: 30 })
  group_wait_seconds: number;
}

export class WayView implements Way {
  @ApiProperty({ type: () => [TakenRouteView], description: 'Routes that take it, in order.' })
  routes: TakenRouteView[];

  @ids('Silences that mute it now.')
  silenced_by: string[];

  @ids('Alerts that inhibit it now.')
  inhibited_by: string[];
}
