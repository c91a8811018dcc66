import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { noteChange, noteUnchanged } from '../audit/note-change.js';
import type { Principal } from '../auth/principal.js';
import { WakeUps } from '../events/wake-ups.js';
import { pageOf, type Page } from '../input/page.js';
import type { HistoryPageDto } from '../input/query.js';
import type { Alert, AlertHistoryLine, AlertStatus, Severity } from './alert.js';
import type { AcknowledgeDto, AlertStatsDto, CreateAlertDto, ListAlertsDto, ResolveDto } from './alerts.dto.js';
import { alertIsOver, alertNotFound } from './alerts.errors.js';
import { AlertsStore, type ChangedAlert, type NewAlert } from './alerts.store.js';
import { fingerprint } from './fingerprint.js';
import { FlowService, type Muting } from './flow/flow.service.js';

/** Who asks for all of them has no pages. */
const maxActive = 10_000;

export interface AlertStats {
  /** How many days it is about. */
  days: number;
  by_status: Record<AlertStatus, number>;
  /** Of those that are not resolved. */
  by_severity: Record<Severity, number>;
  /** The ten names with most alerts. */
  noisiest: { name: string; count: number }[];
  /** Mean seconds from the beginning to the acknowledgement, and to the end; null without any. */
  mean_seconds_to_acknowledge: number | null;
  mean_seconds_to_resolve: number | null;
}

/** What clients do with alerts, for all doors alike. */
@Injectable()
export class AlertsService {
  constructor(
    private readonly store: AlertsStore,
    private readonly flow: FlowService,
    private readonly wakeUps: WakeUps,
  ) {}

  /** A new alert, or the active one of the same name and labels brought up to date. */
  async create({ tenant_id, name: created_by }: Principal, input: CreateAlertDto): Promise<{ alert: Alert; created: boolean }> {
    const { name, severity = 'warning', source = 'api', labels = {}, annotations = {} } = input;
    const { created, ...alert } = await this.store.raise({
      tenant_id,
      id: randomUUIDv7(),
      fingerprint: fingerprint(name, labels),
      name,
      severity,
      source,
      labels,
      annotations,
      runbook_url: input.runbook_url ?? null,
      value: input.value ?? null,
      created_by,
      expires_in_seconds: input.expires_in_seconds ?? null,
    });
    this.wakeUps.signal('events', 'alert_dispatch');
    if (created) noteChange({ id: alert.id, after: { name, severity, status: alert.status, source, labels } });
    else noteUnchanged();
    return { alert, created };
  }

  /** Raises some, and ends those of other fingerprints that are active. */
  async exchange(tenantId: string, alerts: NewAlert[], over: string[], by: string): Promise<void> {
    const { created, resolved } = await this.store.exchange(tenantId, alerts, over, by);
    this.wakeUps.signal('events', 'alert_dispatch');
    for (const { id, name, severity, status, source, labels } of created)
      noteChange({ id, after: { name, severity, status, source, labels } });
    for (const { id, name, status } of resolved) noteChange({ id, after: { name, status } });
    if (created.length + resolved.length === 0) noteUnchanged();
  }

  /** All that are not resolved, newest first. */
  active(tenantId: string): Promise<Alert[]> {
    return this.store.list(tenantId, { status: ['open', 'acknowledged'], limit: maxActive });
  }

  async list({ tenant_id }: Principal, filters: ListAlertsDto): Promise<Page<Alert, string>> {
    return pageOf(await this.store.list(tenant_id, filters), filters.limit, (alert) => alert.id);
  }

  async get(caller: Principal, id: string): Promise<Alert & Muting> {
    const alert = await this.find(caller, id);
    return { ...alert, ...(await this.flow.muting(caller.tenant_id, alert)) };
  }

  async acknowledge(caller: Principal, id: string, { minutes, note }: AcknowledgeDto): Promise<Alert> {
    const seconds = minutes === undefined ? null : minutes * 60;
    const alert = await this.store.acknowledge({ tenant_id: caller.tenant_id, id, by: caller.name, note: note ?? null }, seconds);
    return this.changed(caller, id, 'acknowledged', alert);
  }

  async resolve(caller: Principal, id: string, { note }: ResolveDto): Promise<Alert> {
    const alert = await this.store.resolve({ tenant_id: caller.tenant_id, id, by: caller.name, note: note ?? null });
    return this.changed(caller, id, 'resolved', alert);
  }

  async history(caller: Principal, id: string, { cursor = 0, limit }: HistoryPageDto): Promise<Page<AlertHistoryLine, number>> {
    await this.find(caller, id);
    return pageOf(await this.store.history(caller.tenant_id, id, cursor, limit + 1), limit, (line) => line.id);
  }

  async stats({ tenant_id }: Principal, { days }: AlertStatsDto): Promise<AlertStats> {
    const [rows, { mtta, mttr }] = await Promise.all([this.store.stats(tenant_id, days), this.store.times(tenant_id, days)]);
    const of = (kind: string, key: string) => rows.find((row) => row.kind === kind && row.key === key)?.count ?? 0;
    return {
      days,
      by_status: { open: of('status', 'open'), acknowledged: of('status', 'acknowledged'), resolved: of('status', 'resolved') },
      by_severity: { info: of('severity', 'info'), warning: of('severity', 'warning'), critical: of('severity', 'critical') },
      noisiest: rows.filter(({ kind }) => kind === 'name').map(({ key, count }) => ({ name: key, count })),
      mean_seconds_to_acknowledge: mtta,
      mean_seconds_to_resolve: mttr,
    };
  }

  private async find({ tenant_id }: Principal, id: string): Promise<Alert> {
    const alert = await this.store.get(tenant_id, id);
    if (!alert) throw alertNotFound(id);
    return alert;
  }

  /** Without an alert nothing has changed, and why is told. */
  private async changed(caller: Principal, id: string, verb: string, changed: ChangedAlert | undefined): Promise<Alert> {
    if (!changed) throw alertIsOver(await this.find(caller, id), verb);
    this.wakeUps.signal('events', 'alert_dispatch');
    const { was, ...alert } = changed;
    noteChange({ id, before: { status: was }, after: { status: alert.status, acknowledged_until: alert.acknowledged_until } });
    return alert;
  }
}
