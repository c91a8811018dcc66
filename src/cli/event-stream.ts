import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { Api } from './api.js';
import { reasonOf, Unreachable } from './failures.js';
import { Refused, type Problem } from './failures.js';
import type { Item } from './text.js';

export interface ServerEvent {
  event: string | undefined;
  data: Item;
}

/** One event is at most some 90 KiB; metrics of very many queues are larger. */
const maxBufferSize = 64 * 1024 * 1024;

/** The events of a stream, until it ends. Throws `Refused`, and `Unreachable` when the connection breaks. */
export async function* eventStream(
  api: Api,
  path: string,
  { query, signal }: { query?: Item; signal?: AbortSignal } = {},
): AsyncGenerator<ServerEvent> {
  const response = await api.send('GET', path, { query, headers: { accept: 'text/event-stream' } }, signal);
  if (!response.ok || !response.body) throw await api.refusal(response);
  const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream({ maxBufferSize }));
  const reader = events.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw signal?.aborted ? error : new Unreachable(api.url.origin, new Error(`the stream broke off (${reasonOf(error)})`));
      });
      if (done) return;
      const data = JSON.parse(value.data) as Item;
      if (value.event === 'error') throw new Refused(data as unknown as Problem);
      yield { event: value.event, data };
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
