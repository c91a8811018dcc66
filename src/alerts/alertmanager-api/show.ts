import type { Alert } from '../alert.js';
import type { Way } from '../flow/flow.service.js';
import type { Silence } from '../silences/silence.js';
import { generatorUrl } from './posted-alert.js';

/* Alerts and silences in the words of Alertmanager. */

/** An alert, and what becomes of it on its way to channels. */
export interface ListedAlert extends Way {
  alert: Alert;
}

/** Longer than clients wait between two looks; an active alert has no end of its own. */
const openEndMs = 300_000;

export function shownAlert({ alert, routes, silenced_by, inhibited_by }: ListedAlert, now: number) {
  const { name, severity, labels, annotations, started_at, updated_at, expires_at, fingerprint } = alert;
  const { [generatorUrl]: generatorURL, ...words } = annotations;
  return {
    labels: { severity, ...labels, alertname: name },
    annotations: words,
    startsAt: started_at,
    updatedAt: updated_at,
    endsAt: expires_at ?? new Date(now + openEndMs).toISOString(),
    fingerprint,
    ...(generatorURL && { generatorURL }),
    receivers: receiversOf(routes).map((receiver) => ({ name: receiver })),
    status: {
      state: silenced_by.length > 0 || inhibited_by.length > 0 ? 'suppressed' : 'active',
      silencedBy: silenced_by,
      inhibitedBy: inhibited_by,
      mutedBy: [],
    },
  };
}

/** Channels that are told of it. */
export function receiversOf(routes: Way['routes']): string[] {
  return [...new Set(routes.flatMap(({ channels }) => channels))];
}

export function shownSilence({ id, matchers, starts_at, ends_at, author, comment, updated_at, status }: Silence) {
  return {
    id,
    matchers: matchers.map(({ label, operator, value }) => ({
      name: label,
      value,
      isRegex: operator.endsWith('~'),
      isEqual: operator.startsWith('='),
    })),
    startsAt: starts_at,
    endsAt: ends_at,
    createdBy: author,
    comment,
    updatedAt: updated_at,
    status: { state: status },
  };
}

/** Alerts that one channel is told of together. */
export function groupsOf(alerts: ListedAlert[], now: number) {
  const parts = alerts.flatMap((listed) =>
    listed.routes.flatMap(({ channels, group_key, group_labels }) =>
      channels.map((receiver) => ({ receiver, group_key, group_labels, alert: shownAlert(listed, now) })),
    ),
  );
  const byGroup = Map.groupBy(parts, ({ receiver, group_key }) => JSON.stringify([receiver, group_key]));
  return [...byGroup.values()].map((group) => ({
    labels: group[0]!.group_labels,
    receiver: { name: group[0]!.receiver },
    alerts: group.map(({ alert }) => alert),
  }));
}
