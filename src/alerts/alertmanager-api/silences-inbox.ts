import { Injectable } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import type { Principal } from '../../auth/principal.js';
import { parseId } from '../../transport/input.pipe.js';
import type { Silence } from '../silences/silence.js';
import { SilencesService } from '../silences/silences.service.js';
import type { PostedSilence } from './read.js';

const pageSize = 200;
/** Alertmanager knows no pages. */
const maxPages = 25;

/** Silences as Alertmanager makes and lists them. */
@Injectable()
export class SilencesInbox {
  constructor(private readonly silences: SilencesService) {}

  /** Newest first. */
  async list(caller: Principal): Promise<Silence[]> {
    const all: Silence[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < maxPages; page++) {
      const { items, next_cursor } = await this.silences.list(caller, { limit: pageSize, ...(cursor && { cursor }) });
      all.push(...items);
      if (!next_cursor) break;
      cursor = next_cursor;
    }
    return all;
  }

  get(caller: Principal, id: string): Promise<Silence> {
    return this.silences.get(caller, parseId(id, 'a silence'));
  }

  async expire(caller: Principal, id: string): Promise<void> {
    await this.silences.expire(caller, parseId(id, 'a silence'));
  }

  /** Answers the id. One that says another thing than the one it replaces ends that, and is a new one. */
  async receive(caller: Principal, { id, matchers, startsAt, endsAt, createdBy, comment }: PostedSilence): Promise<string> {
    const before = id === undefined ? undefined : await this.get(caller, id);
    if (before?.status === 'active' && isDeepStrictEqual(before.matchers, matchers)) {
      return (await this.silences.patch(caller, before.id, { ends_at: endsAt, comment })).id;
    }
    const isLater = Date.parse(startsAt) > Date.now();
    const input = { matchers, ends_at: endsAt, comment, author: createdBy, ...(isLater && { starts_at: startsAt }) };
    const created = await this.silences.create(caller, input);
    if (before && before.status !== 'expired') await this.silences.expire(caller, before.id);
    return created.id;
  }
}
