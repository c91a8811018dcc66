import { plainJsonError } from '../../input/plain-json.js';
import type { Json, JsonObject } from '../../tasks/task.js';
import { TaskFailure } from '../handler.js';
import type { HttpResponse } from './exchange.js';
import type { StatusPattern } from './parameters.js';

/** What the engine stores as a result. */
export const resultLimits = { maxBytes: 1024 * 1024, maxDepth: 32 };

export function isSuccess(status: number, patterns: StatusPattern[]): boolean {
  return patterns.some((pattern) => pattern === status || pattern === `${Math.floor(status / 100)}xx`);
}

/** The task's result: status, the wanted headers, and the body as JSON, text or `{ base64 }`. Throws `RESPONSE_TOO_LARGE`. */
export function toResult({ status, headers, body }: HttpResponse, wantedHeaders: string[]): JsonObject {
  const head = { status, headers: pick(headers, wantedHeaders) };
  const forms = bodyForms(headers, body).map((form) => ({ ...head, body: form }));
  // Not every JSON or text can be stored (NUL, unpaired surrogates, deep nesting); base64 always can.
  const result = forms.find((form) => isStorable(form)) ?? forms.at(-1)!;
  const error = plainJsonError(result, 'result', resultLimits);
  if (!error) return result;
  throw new TaskFailure(
    'RESPONSE_TOO_LARGE',
    `The response does not fit into a result: as JSON it ${error.message}. Ask the server for less.`,
    {
      retryable: false,
    },
  );
}

function isStorable(form: Json): boolean {
  return plainJsonError(form, 'result', { ...resultLimits, maxBytes: Infinity }) === undefined;
}

/** The ways to give the body, best first. */
function bodyForms(headers: HttpResponse['headers'], body: Buffer): Json[] {
  if (!body.length) return [null];
  const base64 = { base64: body.toString('base64') };
  const encoding = [headers['content-encoding']].flat().join() || 'identity';
  const text = encoding.toLowerCase() === 'identity' ? decode(body) : undefined;
  if (text === undefined) return [base64];
  const type = [headers['content-type']].flat()[0]?.split(';')[0]?.trim() ?? '';
  const json = /^application\/(.+\+)?json$/i.test(type) ? parse(text) : undefined;
  return json === undefined ? [text, base64] : [json, text, base64];
}

function decode(body: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function pick(headers: HttpResponse['headers'], names: string[]): Record<string, string> {
  const found = names.map((name) => name.toLowerCase()).filter((name) => Object.hasOwn(headers, name));
  return Object.fromEntries(found.map((name) => [name, [headers[name]].flat().join(', ')]));
}
