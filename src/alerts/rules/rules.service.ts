import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { noteChange } from '../../audit/note-change.js';
import type { Principal } from '../../auth/principal.js';
import { invalid } from '../../errors/coded-error.js';
import { pageOf, type Page } from '../../input/page.js';
import type { PageDto } from '../../input/query.js';
import type { Rule, SeriesState } from './rule.js';
import { changedSpec, checkSpec, isAnother } from './rule-changes.js';
import { RuleTester, type RuleTest } from './rule-tester.js';
import type { CreateRuleDto, PatchRuleDto, TestRangeDto, TestRuleDto } from './rules.dto.js';
import { ruleNameTaken, ruleNotFound, ruleVersionMismatch, tooManyRules } from './rules.errors.js';
import { RulesStore, type RuleRow } from './rules.store.js';

/** A rule as clients see it. */
export interface RuleView extends Omit<Rule, 'tenant_id' | 'kind' | 'spec' | 'watched_since'> {
  kind: Rule['kind'];
  spec: Rule['spec'];
  /** Of its series the one that is worst off; `paused` when it is not enabled. */
  state: 'paused' | 'ok' | SeriesState;
  /** How many series are in which state. */
  states: Record<SeriesState, number>;
  /** How many series or groups it looked at; null when it was not evaluated yet as it is now. */
  series: number | null;
  last_evaluated_at: string | null;
  last_error: string | null;
}

const maxRules = 1_000;
const hourMs = 3_600_000;
const maxRangeMs = 400 * 24 * hourMs;

/** What clients do with rules, for all doors alike. */
@Injectable()
export class RulesService {
  constructor(
    private readonly store: RulesStore,
    private readonly tester: RuleTester,
  ) {}

  async create({ tenant_id, name: created_by }: Principal, { name, kind, enabled, spec }: CreateRuleDto): Promise<RuleView> {
    const definition = checkSpec(kind, spec);
    const rule = await this.store.create({ tenant_id, id: randomUUIDv7(), name, enabled, created_by, ...definition }, maxRules);
    if (rule) noteChange({ id: rule.id, after: saidOf(rule) });
    if (rule) return toRuleView(rule);
    throw (await this.store.count(tenant_id)) < maxRules ? ruleNameTaken(name) : tooManyRules(maxRules);
  }

  async list({ tenant_id }: Principal, { cursor, limit }: PageDto): Promise<Page<RuleView, string>> {
    const { items, next_cursor } = pageOf(await this.store.list(tenant_id, cursor, limit + 1), limit, ({ id }) => id);
    return { items: items.map(toRuleView), next_cursor };
  }

  async get(caller: Principal, id: string): Promise<RuleView> {
    return toRuleView(await this.find(caller, id));
  }

  async patch({ tenant_id }: Principal, id: string, { enabled, spec }: PatchRuleDto, version?: number): Promise<RuleView> {
    let was: Rule | undefined;
    const rule = await this.store.change(tenant_id, id, (before) => {
      was = before;
      checkVersion(before, version);
      const after = spec ? changedSpec(before, spec) : before;
      return { enabled: enabled ?? before.enabled, spec: after.spec, isAnother: isAnother(before, after) };
    });
    if (!rule) throw ruleNotFound(id);
    noteChange({ id, before: was && saidOf(was), after: saidOf(rule) });
    return toRuleView(rule);
  }

  async remove({ tenant_id }: Principal, id: string, version?: number): Promise<void> {
    let was: Rule | undefined;
    const removed = await this.store.remove(tenant_id, id, (rule) => {
      was = rule;
      checkVersion(rule, version);
    });
    if (!removed) throw ruleNotFound(id);
    noteChange({ id, before: was && saidOf(was) });
  }

  /** What a stored rule would have done, whether it is enabled or not. */
  async test(caller: Principal, id: string, range: TestRangeDto): Promise<RuleTest> {
    return this.replay(caller, await this.find(caller, id), range);
  }

  /** The same of a rule that does not have to exist. */
  async tryOut(caller: Principal, { kind, spec }: TestRuleDto, range: TestRangeDto): Promise<RuleTest> {
    return this.replay(caller, checkSpec(kind, spec), range);
  }

  private replay({ tenant_id }: Principal, rule: Pick<Rule, 'kind' | 'spec'>, range: TestRangeDto): Promise<RuleTest> {
    const to = Math.min(Date.now(), range.to === undefined ? Infinity : Date.parse(range.to));
    const from = range.from === undefined ? to - hourMs : Date.parse(range.from);
    if (from >= to) throw invalid([{ field: 'from', message: 'must be a time before `to`, and before now' }]);
    if (to - from > maxRangeMs) throw invalid([{ field: 'from', message: 'must be at most 400 days before `to`' }]);
    return this.tester.test(tenant_id, rule as Rule, from, to);
  }

  private async find({ tenant_id }: Principal, id: string): Promise<RuleRow> {
    const rule = await this.store.get(tenant_id, id);
    if (!rule) throw ruleNotFound(id);
    return rule;
  }
}

function checkVersion(rule: Rule, expected: number | undefined): void {
  if (expected !== undefined && rule.version !== expected) throw ruleVersionMismatch(rule, expected);
}

/** What somebody has said of a rule, for the audit log. */
function saidOf({ name, kind, enabled, spec, version }: Rule): object {
  return { name, kind, enabled, spec, version };
}

function toRuleView({ tenant_id: _tenant, watched_since: _since, pending, firing, recovering, ...rule }: RuleRow): RuleView {
  const states = { pending, firing, recovering };
  const worst = (['firing', 'recovering', 'pending'] as const).find((state) => states[state] > 0) ?? 'ok';
  return { ...rule, state: rule.enabled ? worst : 'paused', states };
}
