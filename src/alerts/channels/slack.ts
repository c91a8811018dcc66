import type { NotificationContent, Send, SlackSpec } from './channel.js';
import { deliver, type Reach } from './http-delivery.js';
import { lines, title } from './summary.js';

const colors = { critical: '#c62828', warning: '#ef6c00', info: '#1565c0', resolved: '#2e7d32' } as const;
/** Receivers cut or refuse more than some thousands of characters. */
const maxText = 3_000;

/** An incoming webhook of Slack, or of what speaks the same (Mattermost, Rocket.Chat). */
export function slack(reach: Reach): Send<SlackSpec> {
  return (notification, { url }, signal) =>
    deliver(url, { 'content-type': 'application/json' }, JSON.stringify(slackMessage(notification.content)), { ...reach, signal });
}

export function slackMessage(content: NotificationContent): object {
  const text = escape(lines(content).join('\n\n'));
  return {
    text: escape(title(content)),
    attachments: [{ color: color(content), fallback: escape(title(content)), text: [...text].slice(0, maxText).join('') }],
  };
}

function color({ status, alerts }: NotificationContent): string {
  if (status === 'resolved') return colors.resolved;
  const active = alerts.filter((alert) => alert.status !== 'resolved').map(({ severity }) => severity);
  return colors[active.includes('critical') ? 'critical' : active.includes('warning') ? 'warning' : 'info'];
}

/** The three characters with a meaning: else a label could mention everybody (`<!channel>`). */
function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
