import type { Seen } from './history.js';
import { token } from './world.js';

/** `lost`: nobody knows whether it was carried out. */
export type Answer = { status: number; body: unknown } | 'lost';

const patienceMs = 8_000;

/** One request over REST. */
export async function send(url: string, method: string, path: string, body?: unknown, key?: string): Promise<Answer> {
  try {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key && { 'idempotency-key': key }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(patienceMs),
    });
    return { status: response.status, body: await response.json() };
  } catch {
    return 'lost';
  }
}

/** Of a task's answer what the checker compares. */
export function seen(body: unknown): Seen {
  const { id, status, attempt, version } = body as Seen;
  return { id, status, attempt, version };
}
