import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { noteChange } from '../../audit/note-change.js';
import type { Principal } from '../../auth/principal.js';
import { invalid } from '../../errors/coded-error.js';
import { WakeUps } from '../../events/wake-ups.js';
import { pageOf, type Page } from '../../input/page.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { matcherProblems } from '../matcher.dto.js';
import { spanProblem, type Silence, type SilenceSpan } from './silence.js';
import type { CreateSilenceDto, ListSilencesDto, PatchSilenceDto } from './silences.dto.js';
import { silenceHasBegun, silenceIsOver, silenceNotFound, silenceVersionMismatch, tooManySilences } from './silences.errors.js';
import { SilencesStore } from './silences.store.js';

/** Each look at alerts goes through all that are not over. */
const maxSilences = 1_000;

/** What clients do with silences, for all doors alike. */
@Injectable()
export class SilencesService {
  constructor(
    private readonly store: SilencesStore,
    private readonly wakeUps: WakeUps,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  async create({ tenant_id, name: created_by }: Principal, input: CreateSilenceDto): Promise<Silence> {
    const { matchers, starts_at, ends_at, comment, author = created_by } = input;
    this.check({ matchers, starts_at: starts_at ?? new Date().toISOString(), ends_at });
    const silence = { tenant_id, id: randomUUIDv7(), matchers, starts_at: starts_at ?? null, ends_at, comment, author, created_by };
    const created = await this.store.create(silence, maxSilences);
    if (!created) throw tooManySilences(maxSilences);
    this.wakeUps.signal('alert_dispatch');
    noteChange({ id: created.id, after: created });
    return created;
  }

  async list({ tenant_id }: Principal, { status, cursor, limit }: ListSilencesDto): Promise<Page<Silence, string>> {
    return pageOf(await this.store.list(tenant_id, cursor, status, limit + 1), limit, ({ id }) => id);
  }

  async get({ tenant_id }: Principal, id: string): Promise<Silence> {
    const silence = await this.store.get(tenant_id, id);
    if (!silence) throw silenceNotFound(id);
    return silence;
  }

  patch(caller: Principal, id: string, input: PatchSilenceDto, version?: number): Promise<Silence> {
    return this.change(caller, id, version, (silence) => {
      for (const field of ['matchers', 'starts_at'] as const) {
        if (input[field] !== undefined && silence.status !== 'pending') throw silenceHasBegun(silence, field);
      }
      const changed = {
        matchers: input.matchers ?? silence.matchers,
        starts_at: input.starts_at ?? silence.starts_at,
        ends_at: input.ends_at ?? silence.ends_at,
        comment: input.comment ?? silence.comment,
      };
      this.check(changed);
      return changed;
    });
  }

  /** Ends it now. It is kept for as long as alerts are. */
  expire(caller: Principal, id: string, version?: number): Promise<Silence> {
    return this.change(caller, id, version, () => 'expired');
  }

  private async change(
    { tenant_id }: Principal,
    id: string,
    version: number | undefined,
    decide: Parameters<SilencesStore['change']>[2],
  ): Promise<Silence> {
    let was: Silence | undefined;
    const silence = await this.store.change(tenant_id, id, (before) => {
      was = before;
      if (version !== undefined && before.version !== version) throw silenceVersionMismatch(before, version);
      if (before.status === 'expired') throw silenceIsOver(before);
      return decide(before);
    });
    if (!silence) throw silenceNotFound(id);
    this.wakeUps.signal('alert_dispatch');
    noteChange({ id, before: was, after: silence });
    return silence;
  }

  private check(span: Omit<SilenceSpan, 'id'>): void {
    const problems = matcherProblems(span.matchers, 'matchers');
    if (problems.length > 0) throw invalid(problems);
    const problem = spanProblem(span, { maxDays: this.settings.ALERTS_SILENCE_MAX_DAYS, now: Date.now() });
    if (problem) throw invalid([problem]);
  }
}
