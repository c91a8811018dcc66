import { Module } from '@nestjs/common';
import { AlertsModule } from '../alerts.module.js';
import { FlowModule } from '../flow/flow.module.js';
import { SilencesModule } from '../silences/silences.module.js';
import { AlertmanagerApiController } from './alertmanager-api.controller.js';
import { AlertsInbox } from './inbox.js';
import { SilencesInbox } from './silences-inbox.js';

@Module({
  imports: [AlertsModule, FlowModule, SilencesModule],
  controllers: [AlertmanagerApiController],
  providers: [AlertsInbox, SilencesInbox],
})
export class AlertmanagerApiModule {}
