import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Socket } from 'socket.io';
import type { Principal } from '../auth/principal.js';
import { MetricsService } from './metrics.service.js';

interface Feed {
  sockets: Set<Socket>;
  controller: AbortController;
}

/** Who hears `metrics_updated`. The metrics of a tenant are read once for all of its sockets. */
@Injectable()
export class MetricsFeed implements OnModuleDestroy {
  private readonly feeds = new Map<string, Feed>();

  constructor(private readonly metrics: MetricsService) {}

  onModuleDestroy(): void {
    for (const { controller } of this.feeds.values()) controller.abort();
  }

  add(socket: Socket, caller: Principal): void {
    if (!socket.connected) return;
    let feed = this.feeds.get(caller.tenant_id);
    if (!feed) {
      feed = { sockets: new Set(), controller: new AbortController() };
      this.feeds.set(caller.tenant_id, feed);
      void this.run(feed, caller);
    }
    feed.sockets.add(socket);
  }

  remove(socket: Socket): void {
    for (const [tenant, feed] of this.feeds) {
      if (!feed.sockets.delete(socket) || feed.sockets.size) continue;
      feed.controller.abort();
      this.feeds.delete(tenant);
    }
  }

  private async run({ sockets, controller }: Feed, caller: Principal): Promise<void> {
    for await (const metrics of this.metrics.follow(caller, controller.signal)) {
      // A client that does not read misses some: each says everything.
      for (const socket of sockets) socket.volatile.emit('metrics_updated', metrics);
    }
  }
}
