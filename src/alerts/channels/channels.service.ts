import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { noteChange } from '../../audit/note-change.js';
import type { Principal } from '../../auth/principal.js';
import { pageOf, type Page } from '../../input/page.js';
import type { PageDto } from '../../input/query.js';
import { DeliveryError, type Channel, type DeliveryReason } from './channel.js';
import { changedSpec, checkSpec, toChannelView, type ChannelView } from './channel-changes.js';
import type { CreateChannelDto, PatchChannelDto } from './channels.dto.js';
import { channelNameTaken, channelNotFound, channelVersionMismatch } from './channels.errors.js';
import { ChannelsStore, type Delivery } from './channels.store.js';
import { OutboxStore, type ChannelCount } from './outbox.store.js';
import { sampleContent } from './sample.js';
import { Senders } from './senders.js';

/** How the test of a channel went. */
export interface ChannelTest {
  delivered: boolean;
  reason: DeliveryReason | null;
  error: string | null;
  duration_ms: number;
}

/** What clients do with channels, for all doors alike. */
@Injectable()
export class ChannelsService {
  constructor(
    private readonly store: ChannelsStore,
    private readonly outbox: OutboxStore,
    private readonly senders: Senders,
  ) {}

  async create({ tenant_id, name: created_by }: Principal, { name, kind, enabled, spec }: CreateChannelDto): Promise<ChannelView> {
    const checked = checkSpec(kind, spec);
    const channel = await this.store.create({ tenant_id, id: randomUUIDv7(), name, kind, enabled, spec: checked, created_by });
    if (!channel) throw channelNameTaken(name);
    const view = toChannelView(channel);
    noteChange({ id: channel.id, after: view });
    return view;
  }

  async list({ tenant_id }: Principal, { cursor, limit }: PageDto): Promise<Page<ChannelView, string>> {
    const { items, next_cursor } = pageOf(await this.store.list(tenant_id, cursor, limit + 1), limit, ({ id }) => id);
    return { items: items.map(toChannelView), next_cursor };
  }

  async get(caller: Principal, id: string): Promise<ChannelView> {
    return toChannelView(await this.find(caller, id));
  }

  async patch({ tenant_id }: Principal, id: string, input: PatchChannelDto, version?: number): Promise<ChannelView> {
    let was: Channel | undefined;
    const channel = await this.store.change(tenant_id, id, (before) => {
      was = before;
      checkVersion(before, version);
      return {
        enabled: input.enabled ?? before.enabled,
        spec: input.spec ? changedSpec(before, input.spec) : before.spec,
      };
    });
    if (!channel) throw channelNotFound(id);
    const view = toChannelView(channel);
    noteChange({ id, before: was && toChannelView(was), after: view });
    return view;
  }

  async remove({ tenant_id }: Principal, id: string, version?: number): Promise<void> {
    let was: Channel | undefined;
    const removed = await this.store.remove(tenant_id, id, (channel) => {
      was = channel;
      checkVersion(channel, version);
    });
    if (!removed) throw channelNotFound(id);
    noteChange({ id, before: was && toChannelView(was) });
  }

  /** Sends now, past the outbox, and also when the channel is switched off. */
  async test(caller: Principal, id: string): Promise<ChannelTest> {
    const { tenant_id, name, kind, spec } = await this.find(caller, id);
    noteChange({ id, after: { tested: name } });
    const content = sampleContent(new Date().toISOString(), caller.name);
    const startedAt = performance.now();
    const took = () => Math.round(performance.now() - startedAt);
    const notification = { id: randomUUIDv7(), tenant_id, channel: name, group_key: 'test', content };
    try {
      await this.senders.send(kind, notification, spec, new AbortController().signal);
      return { delivered: true, reason: null, error: null, duration_ms: took() };
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      return { delivered: false, reason: error.reason, error: error.message, duration_ms: took() };
    }
  }

  async deliveries(caller: Principal, id: string, { cursor, limit }: PageDto): Promise<Page<Delivery, string>> {
    await this.find(caller, id);
    return pageOf(await this.store.deliveries(caller.tenant_id, id, cursor, limit + 1), limit, (delivery) => delivery.id);
  }

  /** How attempts ended, ever, by channel and reason: `arkitect_alert_notifications_total`. */
  channelCounts(): Promise<ChannelCount[]> {
    return this.outbox.counts();
  }

  private async find({ tenant_id }: Principal, id: string): Promise<Channel> {
    const channel = await this.store.get(tenant_id, id);
    if (!channel) throw channelNotFound(id);
    return channel;
  }
}

function checkVersion(channel: Channel, expected: number | undefined): void {
  if (expected !== undefined && channel.version !== expected) throw channelVersionMismatch(channel, expected);
}
