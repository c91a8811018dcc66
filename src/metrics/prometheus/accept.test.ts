import { expect, test } from 'vitest';
import { expositionFor, wantsExposition } from './accept.js';

// What Prometheus 2.42 and 3.5 send.
const prometheus2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

test.each([
  [undefined, 'text', false],
  ['*/*', 'text', false],
  ['application/json', 'text', false],
  [browser, 'text', false],
  ['text/plain', 'text', true],
  ['text/plain;version=0.0.4', 'text', true],
  ['application/openmetrics-text', 'openmetrics', true],
  ['text/plain;q=0.9, application/openmetrics-text;q=0.5', 'text', true],
  ['application/json, text/plain;q=0.5', 'text', false],
  ['text/event-stream', 'text', false],
  ['nonsense', 'text', false],
  [prometheus2, 'openmetrics', true],
  [prometheus3, 'openmetrics', true],
  ['text/*', 'text', true],
])('for %s: %s; a scraper: %s', (accept, format, isScraper) => {
  expect(expositionFor(accept)).toBe(format);
  expect(wantsExposition(accept)).toBe(isScraper);
});
