import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { EventLoopProbe } from './event-loop.probe.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';

/** Needs `Lifecycle` and `HEALTH_PROBES` from a global module. */
@Module({
  // The service logs what fails; Terminus would log the same to the console once more.
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [HealthService, EventLoopProbe],
  exports: [HealthService],
})
export class HealthModule {}
