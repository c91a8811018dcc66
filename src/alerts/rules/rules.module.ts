import { Module } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { PointsStore } from '../../metrics/history/points.store.js';
import { MetricsModule } from '../../metrics/metrics.module.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { AlertsModule } from '../alerts.module.js';
import { RuleStatesStore } from './rule-states.store.js';
import { RuleTester } from './rule-tester.js';
import { RulesController } from './rules.controller.js';
import { RulesGateway } from './rules.gateway.js';
import { RulesGrpc } from './rules.grpc.js';
import { RulesKeeper } from './rules-keeper.js';
import { RulesService } from './rules.service.js';
import { RulesStore } from './rules.store.js';

@Module({
  imports: [AlertsModule, MetricsModule],
  controllers: [RulesController, RulesGrpc],
  providers: [
    RulesGateway,
    RulesService,
    RulesStore,
    RuleStatesStore,
    RulesKeeper,
    {
      provide: RuleTester,
      // Tests of rules are requests: they must not keep connections from the engine's duties.
      useFactory: (database: Database, settings: Settings) => new RuleTester(new PointsStore(database.api), settings),
      inject: [Database, SETTINGS],
    },
  ],
})
export class RulesModule {}
