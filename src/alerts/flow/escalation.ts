import type { Group, GroupState, LabelledAlert } from './grouping.js';
import { notifications, type GroupNotification } from './notification.js';
import type { EscalationStep } from './routing.js';

interface Audience {
  open: LabelledAlert[];
  enabled(channels: readonly string[]): string[];
  context: { now: number };
}

/** Takes the steps that are due for alerts that channels know of and nobody takes care of, each once, and says when the next one is. */
export function escalate(
  { route }: Group,
  before: GroupState,
  audience: Audience,
): { state: GroupState; notifications: GroupNotification[]; next_at: number | null } {
  const { open, context } = audience;
  const steps = route.escalation.toSorted((a, b) => a.after_seconds - b.after_seconds);
  if (steps.length === 0) return { state: before, notifications: [], next_at: null };
  const told = { ...before.told };
  const sent: GroupNotification[] = [];
  for (const [index, step] of steps.entries()) {
    const due = open.filter(({ id, alert }) => told[id]?.steps === index && stepDueAt(step, alert) <= context.now);
    const channels = audience.enabled(step.channels);
    for (const { id } of due) told[id] = { ...told[id]!, steps: index + 1, channels: [...new Set([...told[id]!.channels, ...channels])] };
    sent.push(...notifications(before.key, before.labels, new Map(channels.map((channel) => [channel, due]))));
  }
  const next = open.flatMap(({ id, alert }) => {
    const step = told[id] && steps[told[id].steps];
    return step ? [stepDueAt(step, alert)] : [];
  });
  const isSame = open.every(({ id }) => told[id]?.steps === before.told[id]?.steps);
  return {
    state: isSame ? before : { ...before, told },
    notifications: sent,
    next_at: next.length > 0 ? next.reduce((a, b) => Math.min(a, b)) : null,
  };
}

function stepDueAt({ after_seconds }: EscalationStep, { started_at }: LabelledAlert['alert']): number {
  return Date.parse(started_at) + after_seconds * 1_000;
}
