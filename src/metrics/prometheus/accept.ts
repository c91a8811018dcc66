import Negotiator from 'negotiator';

export type Exposition = 'text' | 'openmetrics';

const json = 'application/json';
const openMetrics = 'application/openmetrics-text';
const text = 'text/plain';

/** What the caller would rather have; text for whoever has no opinion, or asks for what we do not speak. */
export function expositionFor(accept: string | undefined): Exposition {
  return preferred(accept, [text, openMetrics]) === openMetrics ? 'openmetrics' : 'text';
}

/** Whether a caller of /metrics is a scraper, who wants text, rather than one who takes JSON. */
export function wantsExposition(accept: string | undefined): boolean {
  return [text, openMetrics].includes(preferred(accept, [json, text, openMetrics]) ?? json);
}

/** By the caller's order. Parameters but q say nothing here: scrapers name versions and escapings that we need not know. */
function preferred(accept: string | undefined, available: string[]): string | undefined {
  for (const wanted of new Negotiator({ headers: { accept } }).mediaTypes()) {
    const family = wanted.endsWith('/*') ? wanted.slice(0, -1) : undefined;
    const found = wanted === '*/*' ? available[0] : available.find((type) => type === wanted || (family && type.startsWith(family)));
    if (found) return found;
  }
  return undefined;
}
