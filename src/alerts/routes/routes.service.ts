import { Injectable } from '@nestjs/common';
import { noteChange, noteUnchanged } from '../../audit/note-change.js';
import type { Principal } from '../../auth/principal.js';
import { CodedError, invalid } from '../../errors/coded-error.js';
import { WakeUps } from '../../events/wake-ups.js';
import { FlowService, type Way } from '../flow/flow.service.js';
import { noRouting, type Routing } from '../flow/routing.js';
import type { PutRoutesDto, TestRoutesDto } from './routes.dto.js';
import { RoutesStore, type StoredRouting } from './routes.store.js';
import { routingProblems } from './routing-check.js';

/** Null and version 0: nobody has stored one, and this is what holds. */
export interface RoutingAnswer extends Routing {
  version: number;
  updated_at: string | null;
  updated_by: string | null;
}

/** What clients do with routes, for all doors alike. */
@Injectable()
export class RoutesService {
  constructor(
    private readonly store: RoutesStore,
    private readonly flow: FlowService,
    private readonly wakeUps: WakeUps,
  ) {}

  async get({ tenant_id }: Principal): Promise<RoutingAnswer> {
    const stored = await this.store.get(tenant_id);
    return stored ? answerOf(stored) : { ...noRouting, version: 0, updated_at: null, updated_by: null };
  }

  /** Replaces all of it. */
  async put(caller: Principal, { routes, default_route, inhibitions }: PutRoutesDto, version?: number): Promise<RoutingAnswer> {
    const routing = { routes, default_route, inhibitions };
    const problems = routingProblems(routing, await this.store.channelNames(caller.tenant_id));
    if (problems.length > 0) throw invalid(problems);
    const put = await this.store.put(caller.tenant_id, routing, caller.name, version);
    if (!put) throw routesVersionMismatch((await this.get(caller)).version, version!);
    this.wakeUps.signal('alert_dispatch');
    const { was, ...stored } = put;
    noteChange({ id: null, before: was ?? noRouting, after: stored.routing });
    return answerOf(stored);
  }

  /** What would become of an alert that was raised now. */
  async test({ tenant_id }: Principal, alert: TestRoutesDto): Promise<Way> {
    noteUnchanged();
    const [way] = await this.flow.ways(tenant_id, [alert]);
    return way!;
  }
}

function answerOf({ routing, ...rest }: StoredRouting): RoutingAnswer {
  return { ...routing, ...rest };
}

function routesVersionMismatch(version: number, expected: number): CodedError {
  return new CodedError(
    'VERSION_MISMATCH',
    `The routes of alerts are at version ${version}, not ${expected}. Read them again and repeat your change on what you find.`,
  );
}
