/** One thing that readiness depends on. */
export interface HealthProbe {
  /** Its key in the answer: `database`, `event_loop`. */
  name: string;
  /**
   * `degraded` still takes traffic, `down` does not. `detail` is a sentence that anybody may read: probes need no token.
   * Longer than 2 s, or an error, counts as down.
   */
  check(): Promise<ProbeResult>;
}

export interface ProbeResult {
  status: 'up' | 'degraded' | 'down';
  detail?: string;
}

/** Injection token of `HealthProbe[]`: what readiness asks beside the event loop. */
export const HEALTH_PROBES = Symbol('HealthProbes');
