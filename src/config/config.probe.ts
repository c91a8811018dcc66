import type { HealthProbe } from '../health/health-probe.js';
import type { LiveSettings } from '../live-settings.js';
import type { ConfigSync } from './config-sync.js';

/** Degraded while this replica works with other settings than somebody wants it to. */
export function configProbe(sync: ConfigSync, live: LiveSettings): HealthProbe {
  return {
    name: 'config',
    async check() {
      if (sync.fileProblem) return { status: 'degraded', detail: sync.fileProblem.summary };
      if (live.refused.length === 0) return { status: 'up' };
      return { status: 'degraded', detail: `This replica does without overrides that it does not accept: ${live.refused.join(', ')}.` };
    },
  };
}
