import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { invalid } from '../../errors/coded-error.js';
import { serverVersion } from '../../version.js';
import { expressionProblem, matchesAll } from '../matchers.js';
import { AlertsInbox } from './inbox.js';
import { readAlerts, readFilters, readSilence } from './read.js';
import { groupsOf, receiversOf, shownAlert, shownSilence, type ListedAlert } from './show.js';
import { SilencesInbox } from './silences-inbox.js';

type ListQuery = Record<string, string | string[] | undefined>;

/** The v2 API of Alertmanager, as far as Prometheus and amtool use it. Its document is Alertmanager's own. */
@Controller('api/v2')
@ApiExcludeController()
export class AlertmanagerApiController {
  private readonly startedAt = new Date().toISOString();

  constructor(
    private readonly inbox: AlertsInbox,
    private readonly silences: SilencesInbox,
  ) {}

  @Post('alerts')
  @HttpCode(200)
  @Operation('alerts.create')
  async receive(@Caller() caller: Principal, @Body() body: unknown) {
    const { alerts, problems } = readAlerts(body);
    if (alerts.length > 0) await this.inbox.receive(caller, alerts);
    if (problems.length > 0) throw invalid(problems);
  }

  @Get('alerts')
  @Operation('alerts.list')
  async list(@Caller() caller: Principal, @Query() query: ListQuery) {
    return (await this.listed(caller, query)).map((alert) => shownAlert(alert, Date.now()));
  }

  @Get('alerts/groups')
  @Operation('alerts.list')
  async groups(@Caller() caller: Principal, @Query() query: ListQuery) {
    return groupsOf(await this.listed(caller, query), Date.now());
  }

  @Get('silences')
  @Operation('alerts.silences.read')
  async listSilences(@Caller() caller: Principal, @Query() { filter }: ListQuery) {
    const wanted = readFilters(filter);
    const all = await this.silences.list(caller);
    // As Alertmanager has it: a silence fits when it has a matcher on the same label with the same value.
    const fits = all.filter(({ matchers }) =>
      wanted.every((one) => matchers.some(({ label, value }) => label === one.label && value === one.value)),
    );
    return fits.map(shownSilence);
  }

  @Post('silences')
  @HttpCode(200)
  @Operation('alerts.silences.manage')
  async createSilence(@Caller() caller: Principal, @Body() body: unknown) {
    return { silenceID: await this.silences.receive(caller, readSilence(body)) };
  }

  @Get('silence/:id')
  @Operation('alerts.silences.read')
  async getSilence(@Caller() caller: Principal, @Param('id') id: string) {
    return shownSilence(await this.silences.get(caller, id));
  }

  @Delete('silence/:id')
  @HttpCode(200)
  @Operation('alerts.silences.manage')
  async expireSilence(@Caller() caller: Principal, @Param('id') id: string) {
    await this.silences.expire(caller, id);
  }

  @Get('receivers')
  @Operation('alerts.channels.read')
  async receivers(@Caller() caller: Principal) {
    return (await this.inbox.receivers(caller)).map((name) => ({ name }));
  }

  @Get('status')
  @Operation('alerts.list')
  status() {
    return {
      cluster: { status: 'disabled', peers: [] },
      // The routing is at GET /alerts/routes. Clients read this as YAML.
      config: { original: 'route:\n  receiver: arkitect\nreceivers:\n  - name: arkitect\n' },
      uptime: this.startedAt,
      versionInfo: { branch: '', buildDate: '', buildUser: '', goVersion: '', revision: '', version: serverVersion },
    };
  }

  private async listed(caller: Principal, { filter, receiver, active, silenced, inhibited }: ListQuery): Promise<ListedAlert[]> {
    const isTold = receiverFilter(receiver);
    const alerts = await this.inbox.list(caller, readFilters(filter));
    return alerts.filter(({ silenced_by, inhibited_by, routes }) => {
      if (silenced_by.length > 0 && silenced === 'false') return false;
      if (inhibited_by.length > 0 && inhibited === 'false') return false;
      return isTold(receiversOf(routes)) && (silenced_by.length > 0 || inhibited_by.length > 0 || active !== 'false');
    });
  }
}

/** `receiver` is a regular expression that must match all of a name. */
function receiverFilter(receiver: string | string[] | undefined): (receivers: string[]) => boolean {
  if (receiver === undefined) return () => true;
  const problem = typeof receiver === 'string' ? expressionProblem(receiver) : 'it stands there several times';
  if (problem) throw invalid([{ field: 'receiver', message: `must be one regular expression of RE2: ${problem}` }]);
  const matchers = [{ label: 'receiver', operator: '=~', value: receiver as string }] as const;
  return (receivers) => receivers.some((name) => matchesAll(matchers, { receiver: name }));
}
