import { integer, oneOf, text } from '../setting-definition.js';

const endpoint = (doc: string) =>
  text({
    change: 'env-only',
    default: '',
    doc,
    accepts: 'empty, or an http:// or https:// URL without user name or password',
    pattern: /^$|^https?:\/\/[^\s/@?#]+(\/[^\s?#]*)?$/,
  });

const headers = (doc: string) =>
  text({
    change: 'env-only',
    default: '',
    doc,
    accepts: 'empty, or name=value pairs separated by commas, values percent-encoded',
    // A percent sign begins an escape, so that it can be read.
    pattern: /^$|^[^\s,=%]+=(?:[^,%]|%[0-7][\da-fA-F])*(?:,[^\s,=%]+=(?:[^,%]|%[0-7][\da-fA-F])*)*$/,
    secret: true,
  });

/** The variables of OpenTelemetry that this server heeds, with their standard meaning. All but these few the exporter reads by itself. */
export const otelDefinitions = {
  OTEL_SDK_DISABLED: oneOf({
    change: 'env-only',
    default: '',
    values: ['', 'false', 'true'],
    doc: 'true: no traces, whatever else is set.',
  }),
  OTEL_TRACES_EXPORTER: oneOf({
    change: 'env-only',
    default: '',
    values: ['', 'otlp', 'none'],
    doc: 'otlp exports traces, none does not. Empty: otlp if an endpoint is set, none otherwise.',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint(
    'The collector of traces (http://localhost:4318); /v1/traces is added. Traces are exported when it is set.',
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint('The same as a whole URL, which wins.'),
  OTEL_EXPORTER_OTLP_PROTOCOL: oneOf({
    change: 'env-only',
    default: 'http/protobuf',
    values: ['http/protobuf'],
    doc: 'How traces are sent; there is no other way here.',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: headers('Headers for the collector, such as an API key.'),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: headers('The same for traces alone.'),
  OTEL_SERVICE_NAME: text({
    change: 'env-only',
    default: '',
    doc: 'Name of the service in traces. Empty: that of OTEL_RESOURCE_ATTRIBUTES, or else arkitect-orchestrator.',
    accepts: 'empty, or at most 255 characters',
    pattern: /^.{0,255}$/,
  }),
  OTEL_RESOURCE_ATTRIBUTES: text({
    change: 'env-only',
    default: '',
    doc: 'More about the service in traces: deployment.environment.name=production,k8s.pod.name=a.',
    accepts: 'empty, or key=value pairs separated by commas, values percent-encoded',
    pattern: /^$|^[^\s,=]+=[^\s,=]*(,\s*[^\s,=]+=[^\s,=]*)*$/,
  }),
  OTEL_TRACES_SAMPLER: oneOf({
    change: 'env-only',
    default: 'parentbased_always_on',
    values: ['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio', 'always_on', 'always_off', 'traceidratio'],
    doc: 'Which traces are recorded; parentbased: what the caller has decided counts.',
  }),
  OTEL_TRACES_SAMPLER_ARG: text({
    change: 'env-only',
    default: '',
    doc: 'Share of traces that a sampler with traceidratio records. Empty: 1, all of them.',
    accepts: 'empty, or a number from 0 to 1',
    pattern: /^$|^(0|1|0?\.\d{1,10}|1\.0{1,10})$/,
  }),
  OTEL_BSP_SCHEDULE_DELAY: integer({
    change: 'env-only',
    default: '5000',
    min: 1,
    max: 600_000,
    doc: 'Milliseconds between two exports of spans.',
  }),
  OTEL_BSP_EXPORT_TIMEOUT: integer({ change: 'env-only', default: '30000', min: 1, max: 600_000, doc: 'Milliseconds an export may take.' }),
  OTEL_BSP_MAX_QUEUE_SIZE: integer({
    change: 'env-only',
    default: '2048',
    min: 1,
    max: 1_000_000,
    doc: 'Spans that wait for their export; what does not fit is lost.',
  }),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: integer({ change: 'env-only', default: '512', min: 1, max: 100_000, doc: 'Spans of one export.' }),
};
