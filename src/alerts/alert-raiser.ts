import type { Labels, Severity } from './alert.js';

/** Of a part of the server about itself. */
export interface OwnAlert {
  tenant_id: string;
  name: string;
  severity: Severity;
  /** The part that raises it. */
  source: 'watchdog' | 'config' | 'audit';
  labels: Labels;
  annotations: Labels;
}

/** Raises alerts of the server about itself; the alerts' own service is one that does. */
export abstract class AlertRaiser {
  /** Repeated while it lasts: what is not repeated for three minutes is over. */
  abstract raise(alert: OwnAlert): Promise<void>;
}
