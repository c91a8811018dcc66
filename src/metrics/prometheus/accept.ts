import Negotiator from 'negotiator';

export type Exposition = 'text' | 'openmetrics';

const asOpenMetrics = ['application/openmetrics-text; version=1.0.0', 'application/openmetrics-text'];
const asText = ['text/plain; version=0.0.4', 'text/plain'];

/** What the caller would rather have; text for whoever has no opinion, or asks for what we do not speak. */
export function expositionFor(accept: string | undefined): Exposition {
  return asOpenMetrics.includes(preferred(accept, [...asText, ...asOpenMetrics])) ? 'openmetrics' : 'text';
}

/** Whether a caller of /metrics is a scraper, who wants text, rather than one who takes JSON. */
export function wantsExposition(accept: string | undefined): boolean {
  const wanted = preferred(accept, ['application/json', ...asText, ...asOpenMetrics]);
  return wanted !== '' && wanted !== 'application/json';
}

function preferred(accept: string | undefined, available: string[]): string {
  return new Negotiator({ headers: { accept } }).mediaType(available) ?? '';
}
