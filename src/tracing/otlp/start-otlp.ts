import { diag, DiagLogLevel } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, resourceAttributesEnvDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import type { SettingKey, Settings } from '../../settings.js';
import type { Spans } from '../tracing.js';
import { OtlpSpans } from './otlp-spans.js';

export interface OtlpOptions {
  version: string;
  replicaId: string;
  /** Told when spans are lost, or when the SDK does not like its configuration. */
  onProblem(message: string): void;
}

/** What the exporter reads from the environment by itself, as every program with the SDK does. What stands in `.env` has to get there. */
const readByExporter = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
  'OTEL_RESOURCE_ATTRIBUTES',
] as const satisfies SettingKey[];

/** Loads the SDK, which nothing else does, and exports spans by OTLP over HTTP. */
export function startOtlp(settings: Settings, { version, replicaId, onProblem }: OtlpOptions): Spans {
  for (const key of readByExporter) if (settings[key]) process.env[key] = settings[key];
  const quiet = () => undefined;
  const report = (message: string) => onProblem(message.slice(0, 500));
  diag.setLogger({ error: report, warn: report, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.WARN);
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(
        resourceFromAttributes({ 'service.name': 'arkitect-orchestrator', 'service.version': version, 'service.instance.id': replicaId }),
      )
      .merge(detectResources({ detectors: [resourceAttributesEnvDetector] }))
      .merge(resourceFromAttributes(settings.OTEL_SERVICE_NAME ? { 'service.name': settings.OTEL_SERVICE_NAME } : {})),
    sampler: samplerOf(settings),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter(),
        scheduledDelayMillis: settings.OTEL_BSP_SCHEDULE_DELAY,
        exportTimeoutMillis: settings.OTEL_BSP_EXPORT_TIMEOUT,
        maxQueueSize: settings.OTEL_BSP_MAX_QUEUE_SIZE,
        maxExportBatchSize: Math.min(settings.OTEL_BSP_MAX_EXPORT_BATCH_SIZE, settings.OTEL_BSP_MAX_QUEUE_SIZE),
      }),
    ],
  });
  return new OtlpSpans(provider, version);
}

function samplerOf({ OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG }: Settings): Sampler {
  const [, isParentBased, name] = /^(parentbased_)?(.*)$/.exec(OTEL_TRACES_SAMPLER)!;
  const root = rootSampler(name!, OTEL_TRACES_SAMPLER_ARG === '' ? 1 : Number(OTEL_TRACES_SAMPLER_ARG));
  return isParentBased ? new ParentBasedSampler({ root }) : root;
}

function rootSampler(name: string, ratio: number): Sampler {
  if (name === 'always_off') return new AlwaysOffSampler();
  return name === 'traceidratio' ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler();
}
