import { Refused, Unreachable, UsageError, type Problem } from './failures.js';
import type { Page } from './print.js';
import type { Token } from './token.js';
import type { Item } from './text.js';

export interface Call {
  query?: Item;
  body?: unknown;
  headers?: Record<string, string | undefined>;
  /** Beyond what any answer may take. */
  waitSeconds?: number;
  signal?: AbortSignal;
}

const patienceSeconds = 30;

/** The REST door of one server. */
export class Api {
  constructor(
    readonly url: URL,
    readonly token: Token | undefined,
  ) {}

  /** The body of the answer; `undefined` when it has none. Throws `Refused` or `Unreachable`. */
  async call(method: string, path: string, { waitSeconds = 0, signal, ...call }: Call = {}): Promise<Item | undefined> {
    const patience = AbortSignal.timeout((patienceSeconds + waitSeconds) * 1_000);
    const response = await this.send(method, path, call, signal ? AbortSignal.any([patience, signal]) : patience);
    if (!response.ok) throw await this.refusal(response);
    const text = await this.reached(response.text());
    return text ? (parse(text) as Item | undefined) : undefined;
  }

  async get(path: string, query?: Item): Promise<Item> {
    return (await this.call('GET', path, { query })) ?? {};
  }

  async post(path: string, body?: unknown, call: Call = {}): Promise<Item> {
    return (await this.call('POST', path, { body, ...call })) ?? {};
  }

  async page(path: string, query: Item = {}): Promise<Page> {
    return (await this.get(path, query)) as unknown as Page;
  }

  /** All pages from the one on that `query` names. */
  async *pages(path: string, query: Item): AsyncGenerator<Page> {
    let { cursor } = query;
    do {
      const page = await this.page(path, { limit: 200, ...query, cursor });
      yield page;
      cursor = page.next_cursor;
    } while (cursor);
  }

  /** The answer itself, for streams and for bodies of refusals that are wanted; only a server that cannot be reached throws. */
  async send(method: string, path: string, { query, body, headers }: Omit<Call, 'signal'>, signal?: AbortSignal): Promise<Response> {
    const url = new URL(path.slice(1), this.url);
    for (const [key, value] of Object.entries(query ?? {})) {
      for (const each of Array.isArray(value) ? value : [value]) if (each !== undefined) url.searchParams.append(key, String(each));
    }
    const given = {
      accept: 'application/json',
      'content-type': body === undefined ? undefined : 'application/json',
      authorization: this.token && `Bearer ${this.token.token}`,
      ...headers,
    };
    const sent = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined);
    // A redirect is not followed: it would turn a POST into a GET, and lose or leak the token.
    const redirect = 'manual';
    return this.reached(
      fetch(url, { method, headers: sent, redirect, body: body === undefined ? null : JSON.stringify(body), signal: signal ?? null }),
    );
  }

  async refusal(response: Response): Promise<Refused> {
    const problem = parse(await this.reached(response.text())) as Partial<Problem> | undefined;
    if (!problem?.code) return new Refused(unknownProblem(response));
    const known = { title: '', detail: '', ...problem } as Problem;
    if (known.code === 'UNAUTHENTICATED') known.detail += ` ${this.tokenHint()}`;
    return new Refused(known);
  }

  tokenHint(): string {
    return this.token
      ? `(The token came from ${this.token.from}.)`
      : 'Give one by --token or ARKITECT_TOKEN; the server keeps the one it generated in DATA_DIR/admin-token.';
  }

  private async reached<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') throw error;
      throw new Unreachable(this.url.origin, error);
    }
  }
}

/** The id of something, as a part of a path. */
export function segment(id = ''): string {
  // In a path these would mean another one.
  if (['', '.', '..'].includes(id)) throw new UsageError(`"${id}" is no id.`);
  return encodeURIComponent(id);
}

/** An optional version, as every change takes it. */
export function ifMatch(version: unknown): Record<string, string | undefined> {
  return { 'if-match': typeof version === 'string' ? `"${version}"` : undefined };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Of something else than this server: a proxy, or another program at its address. */
function unknownProblem({ status, headers, statusText }: Response): Problem {
  const location = headers.get('location');
  const detail = location
    ? `The answer is a redirect to ${location}; give that address by --url.`
    : `The answer is ${status} ${statusText} and not of this server. Look at --url, and at proxies on the way.`;
  return { code: `HTTP_${status}`, title: statusText, detail };
}

/** The server's address, with a path when it is behind one. */
export function serverUrl(text: string): URL {
  const url = URL.parse(text.endsWith('/') ? text : `${text}/`);
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw new UsageError(`--url must be an http:// or https:// URL, such as http://127.0.0.1:8000; it is ${text}.`);
}
