import { Module } from '@nestjs/common';
import { notificationAction } from '../../events/events.js';
import { WakeUps } from '../../events/wake-ups.js';
import { AddressGuard } from '../../outbound/address-guard.js';
import { dnsLookup } from '../../outbound/guarded-connect.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { AlertsModule } from '../alerts.module.js';
import { ChannelsKeeper } from './channels-keeper.js';
import { ChannelsController } from './channels.controller.js';
import { ChannelsGateway } from './channels.gateway.js';
import { ChannelsGrpc } from './channels.grpc.js';
import { ChannelsService } from './channels.service.js';
import { ChannelsStore } from './channels.store.js';
import { OutboxStore } from './outbox.store.js';
import { Senders } from './senders.js';
import { SocketListeners } from './socket-listeners.js';

@Module({
  imports: [AlertsModule],
  controllers: [ChannelsController, ChannelsGrpc],
  providers: [
    ChannelsGateway,
    ChannelsService,
    ChannelsStore,
    OutboxStore,
    SocketListeners,
    ChannelsKeeper,
    {
      provide: Senders,
      inject: [SETTINGS, OutboxStore, WakeUps],
      useFactory: (settings: Settings, outbox: OutboxStore, wakeUps: WakeUps) =>
        new Senders({ guard: new AddressGuard(() => settings.HTTP_ALLOW_HOSTS), lookup: dnsLookup }, async (tenantId, notification) => {
          await outbox.tellSockets(tenantId, notificationAction, notification);
          wakeUps.signal('events');
        }),
    },
  ],
  exports: [ChannelsService],
})
export class ChannelsModule {}
