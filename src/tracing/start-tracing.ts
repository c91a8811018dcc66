import type { Settings } from '../settings.js';
import type { OtlpOptions } from './otlp/start-otlp.js';
import type { Spans } from './tracing.js';

/** Begins to export spans when the standard variables of OpenTelemetry ask for it; else nothing of the SDK is even loaded. */
export async function startTracing(settings: Settings, options: OtlpOptions): Promise<Spans | undefined> {
  if (!isWanted(settings)) return undefined;
  const { startOtlp } = await import('./otlp/start-otlp.js');
  return startOtlp(settings, options);
}

function isWanted(settings: Settings): boolean {
  if (settings.OTEL_SDK_DISABLED === 'true' || settings.OTEL_TRACES_EXPORTER === 'none') return false;
  const named = settings.OTEL_EXPORTER_OTLP_ENDPOINT || settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  return settings.OTEL_TRACES_EXPORTER === 'otlp' || Boolean(named);
}
