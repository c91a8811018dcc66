import { randomUUIDv7 } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PointsStore } from '../../metrics/history/points.store.js';
import type { WakeUps } from '../../events/wake-ups.js';
import type { NewAlert } from '../alerts.store.js';
import { fingerprint } from '../fingerprint.js';
import { evaluate, type Transition } from './evaluate.js';
import { PointWindows, type Need } from './point-windows.js';
import { aggregationOf, isRaised, windowSeconds, type Rule, type RuleState } from './rule.js';
import { RuleAnnotations } from './rule-annotations.js';
import type { EvaluatedRule, RuleHealth, RuleStatesStore, StateChange, StoredState } from './rule-states.store.js';
import { maxTargets, RuleTargets } from './rule-targets.js';
import { shapeFor } from './slots.js';
import type { WatchedSeries } from './watched-series.js';

/** Changes of one transaction. */
const changesAtOnce = 500;
/** The event loop is not kept from others for longer. */
const turnMs = 10;

interface LiveRule {
  rule: EvaluatedRule;
  states: Map<string, StoredState>;
  /** What `targets` was made of. */
  series: readonly WatchedSeries[];
  targets: RuleTargets;
  /** Why it could not be evaluated. */
  failure: string | undefined;
  /** As last written. */
  health: string;
}

/**
 * Evaluates all rules on the leader. What it remembers of states is what it has stored: it takes over from whoever evaluated before,
 * and one that was taken over from writes nothing any more and begins anew.
 */
export class RulesEvaluator {
  private readonly owner = randomUUIDv7();
  private readonly live = new Map<string, LiveRule>();
  private readonly windows: PointWindows;
  private owns = false;

  constructor(
    private readonly store: RuleStatesStore,
    points: PointsStore,
    private readonly wakeUps: WakeUps,
    /** Without samples for longer, in milliseconds, nothing is known, and nothing is evaluated. */
    private readonly gapMs: () => number,
  ) {
    this.windows = new PointWindows(points, gapMs);
  }

  /** Gives the memory back; the next evaluation begins anew. */
  forget(): void {
    this.owns = false;
    this.live.clear();
    this.windows.clear();
  }

  /** One evaluation of all rules, at `now` in milliseconds. Throws when it could not be finished; the next one goes on. */
  async evaluate(now: number): Promise<void> {
    if (!this.owns) {
      await this.store.takeOver(this.owner);
      this.owns = true;
    }
    await this.refresh();
    await this.windows.update(this.needs(), now);
    // Whoever takes samples has said why there are none.
    if (now - this.windows.lastSampleAt > this.gapMs()) return;
    const changes = await this.changes(now);
    for (let start = 0; start < changes.length; start += changesAtOnce) {
      if (!(await this.apply(changes.slice(start, start + changesAtOnce)))) return this.forget();
    }
    await this.keepHealth();
    if (!(await this.store.beat(this.owner))) this.forget();
  }

  /** Rules as they are now; those that have changed with the states that are left of them. */
  private async refresh(): Promise<void> {
    const current = await this.store.versions();
    const keys = new Set(current.map(keyOf));
    for (const key of this.live.keys()) if (!keys.has(key)) this.live.delete(key);
    const changed = current.filter((ref) => this.live.get(keyOf(ref))?.rule.version !== ref.version);
    if (!changed.length) return;
    const { rules, states } = await this.store.load(changed);
    const statesOf = Map.groupBy(states, ({ tenant_id, rule_id }) => keyOf({ tenant_id, id: rule_id }));
    for (const rule of rules) {
      const known = (statesOf.get(keyOf(rule)) ?? []).map(({ tenant_id: _t, rule_id: _r, ...state }) => [state.series, state] as const);
      this.live.set(keyOf(rule), { rule, states: new Map(known), series: [], targets: targetsOf(rule), failure: undefined, health: '' });
    }
  }

  private needs(): Need[] {
    return [...this.live.values()].map(({ rule }) => ({
      metric: rule.spec.metric,
      shape: shapeFor(aggregationOf(rule), windowSeconds(rule) * 1_000),
    }));
  }

  private async changes(now: number): Promise<StateChange[]> {
    const changes: StateChange[] = [];
    let begun = performance.now();
    for (const live of this.live.values()) {
      const series = this.windows.seriesOf(live.rule.spec.metric);
      if (series !== live.series) Object.assign(live, { series, targets: targetsOf(live.rule) });
      try {
        while (!live.targets.add(series, begun + turnMs)) begun = await afterOthers();
        changes.push(...this.changesOf(live, now));
        live.failure = undefined;
      } catch (error) {
        // One rule must not keep all others from being evaluated.
        live.failure = (error as Error).message;
      }
      if (performance.now() - begun > turnMs) begun = await afterOthers();
    }
    return changes;
  }

  private changesOf({ rule, states, targets }: LiveRule, now: number): StateChange[] {
    const watched = now - Math.max(this.windows.sampledSince ?? now, rule.watched_ms);
    const measured = targets.measure(now, this.windows.bornAfter(rule.spec.metric));
    const annotations = new RuleAnnotations(rule);
    return evaluate(rule, measured, states, { now, watched }).map((transition) => changeOf(rule, states, annotations, transition));
  }

  private async apply(changes: StateChange[]): Promise<boolean> {
    const stored = await this.store.apply(this.owner, changes);
    if (!stored) return false;
    for (const { rule, series, after } of stored) {
      const states = this.live.get(keyOf(rule))!.states;
      if (after) states.set(series, after);
      else states.delete(series);
    }
    if (stored.some(({ raise, resolve }) => raise || resolve)) this.wakeUps.signal('events', 'alert_dispatch');
    return true;
  }

  private async keepHealth(): Promise<void> {
    const changed: { live: LiveRule; health: RuleHealth; text: string }[] = [];
    for (const live of this.live.values()) {
      const { tenant_id, id, version } = live.rule;
      const health = { tenant_id, id, version, series: live.targets.count, error: this.errorOf(live) };
      const text = JSON.stringify(health);
      if (text !== live.health) changed.push({ live, health, text });
    }
    await this.store.keepHealth(changed.map(({ health }) => health));
    for (const { live, text } of changed) live.health = text;
  }

  private errorOf({ targets, failure }: LiveRule): string | null {
    if (failure !== undefined) return `It could not be evaluated: ${failure}`;
    if (targets.skipped)
      return `There are ${targets.count + targets.skipped} series or groups, and only ${maxTargets} are looked at; narrow them down by matchers or group_by.`;
    return this.windows.isFull ? 'All rules together look at too many series, and the newest are left out.' : null;
  }
}

/** Lets the event loop have its turn. Answers when it was over. */
async function afterOthers(): Promise<number> {
  await nextTurn();
  return performance.now();
}

function keyOf({ tenant_id, id }: Pick<Rule, 'tenant_id' | 'id'>): string {
  return `${tenant_id} ${id}`;
}

function targetsOf(rule: EvaluatedRule): RuleTargets {
  return new RuleTargets(rule, rule.tenant_id, rule.watched_ms);
}

function changeOf(
  rule: EvaluatedRule,
  states: ReadonlyMap<string, StoredState>,
  annotations: RuleAnnotations,
  { before, after }: Transition,
): StateChange {
  const series = (after ?? before)!.series;
  const alertId = states.get(series)?.alert_id ?? null;
  const raises = isRaised(after) && !isRaised(before);
  return {
    rule,
    series,
    after: after && { ...after, alert_id: isRaised(after) ? alertId : null },
    raise: raises ? alertOf(rule, annotations, after!) : undefined,
    resolve: isRaised(before) && !isRaised(after) ? alertId! : undefined,
  };
}

/** Of rule and series, so that nothing else that has the same name and labels is mistaken for it. */
function alertOf(rule: EvaluatedRule, annotations: RuleAnnotations, { series, labels, value }: RuleState): NewAlert {
  const { tenant_id, id, name, spec } = rule;
  return {
    tenant_id,
    id: randomUUIDv7(),
    fingerprint: fingerprint(id, { series }),
    name,
    severity: spec.severity,
    source: 'rule',
    labels: { ...labels, ...spec.labels },
    annotations: annotations.of(labels, value),
    runbook_url: spec.runbook_url,
    value,
    created_by: 'rule',
    expires_in_seconds: null,
  };
}
