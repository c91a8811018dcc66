import { randomUUIDv7 } from 'node:crypto';
import type { Duty } from '../../engine/loops/loop.js';
import type { AlertRaiser } from '../alert-raiser.js';
import type { NotificationContent } from './channel.js';
import type { OutboxStore } from './outbox.store.js';
import { sampleContent } from './sample.js';

const failingAfterSeconds = 600;

/** Raised again at each look: it is one alert for as long as it lasts, and ends when nobody repeats it. */
export function deliveryWatchdog(store: OutboxStore, raiser: AlertRaiser): Duty {
  return {
    name: 'watchdog of alert deliveries',
    intervalMs: 60_000,
    async run() {
      for (const { tenant_id, channel, reason, waiting } of await store.failing(failingAfterSeconds)) {
        await raiser.raise({
          tenant_id,
          name: 'AlertDeliveryFailing',
          severity: 'critical',
          source: 'watchdog',
          labels: { channel },
          annotations: {
            summary: `Channel ${channel} has not taken ${waiting} notifications for more than ten minutes (${reason ?? 'no reason'}).`,
          },
        });
      }
      return false;
    },
  };
}

/** A sign of life through all of alerting, so that something outside notices when it stops. */
export function heartbeat(store: OutboxStore, wake: () => void, channel: string, seconds: number): Duty {
  return {
    name: 'heartbeat of alerting',
    intervalMs: seconds * 1_000,
    async run() {
      if (await store.heartbeat('default', channel, randomUUIDv7(), heartbeatContent(seconds, new Date().toISOString()))) wake();
      return false;
    },
  };
}

export function notificationPruner(store: OutboxStore): Duty {
  return { name: 'pruner of alert notifications', intervalMs: 600_000, run: () => store.prune() };
}

function heartbeatContent(seconds: number, at: string): NotificationContent {
  const labels = { alertname: 'Watchdog', severity: 'info' };
  const annotations = { summary: `Alerting works. When this does not come every ${seconds} seconds, it does not.` };
  const sample = sampleContent(at, 'watchdog');
  const alerts = sample.alerts.map((alert) => ({
    ...alert,
    fingerprint: 'watchdog',
    name: 'Watchdog',
    source: 'watchdog',
    labels,
    annotations,
  }));
  return { status: 'firing', group_labels: { alertname: 'Watchdog' }, common_labels: labels, common_annotations: annotations, alerts };
}
