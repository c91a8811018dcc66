import { io, type Socket } from 'socket.io-client';
import type { Api } from './api.js';
import { Refused, Unreachable, type Problem } from './failures.js';
import type { Item } from './text.js';

/** Events of one namespace of Socket.IO. */
export interface Feed {
  namespace: 'tasks' | 'alerts';
  filters: Item;
}

interface Listener {
  event(event: Item): void;
  /** Sentences about the connection. */
  remark(sentence: string): void;
  /** Ends it. */
  signal: AbortSignal;
}

/**
 * Tells all events until the signal, through cuts of the connection without a gap. Rejects with `Refused`, or with `Unreachable`
 * when there has never been a connection.
 */
export async function follow(api: Api, feeds: Feed[], listener: Listener): Promise<void> {
  const sockets = feeds.map(({ namespace }) => connect(api, namespace));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  listener.signal.addEventListener('abort', () => resolve());
  feeds.forEach((feed, index) => void listen(sockets[index]!, feed, api, listener).catch(reject));
  try {
    await promise;
  } finally {
    for (const socket of sockets) socket.disconnect();
  }
}

function connect(api: Api, namespace: string): Socket {
  const path = `${api.url.pathname}socket.io/`;
  // A connection each, so that one refused namespace does not hide the other's trouble. WebSocket first: polling needs sticky sessions.
  return io(`${api.url.origin}/${namespace}`, {
    path,
    forceNew: true,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    ...(api.token && { auth: { token: api.token.token } }),
  });
}

/** Only rejects. */
function listen(socket: Socket, { namespace, filters }: Feed, api: Api, { event, remark }: Listener): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  let since = filters.since;
  let connected = false;
  socket.on('connect', () => {
    const again = connected;
    connected = true;
    void subscribe(socket, { ...filters, since }).then(({ seq, reset }) => {
      since = Math.max(seq, Number(since ?? 0));
      if (reset) remark(`Some events of ${namespace} are no longer kept; what follows is new.`);
      else remark(again ? `Connected to ${namespace} again; nothing is missing.` : `Watching ${namespace}; Ctrl-C ends.`);
    }, reject);
  });
  socket.onAny((_action: string, payload: Item) => {
    // Not every message is an event.
    if (typeof payload?.seq !== 'number') return;
    since = payload.seq;
    event(payload);
  });
  socket.on('disconnect', (reason) => {
    if (reason !== 'io client disconnect') remark(`The connection to ${namespace} is gone (${reason}); connecting again…`);
    // Socket.IO comes back by itself unless the server has ended it.
    if (reason === 'io server disconnect') socket.connect();
  });
  socket.on('connect_error', (error: Error & { data?: Problem; description?: unknown }) => {
    if (error.data?.code) return reject(refused(error.data, api));
    if (!connected) reject(new Unreachable(api.url.origin, error));
  });
  return promise;
}

async function subscribe(socket: Socket, wish: Item): Promise<{ seq: number; reset: boolean }> {
  const answer = (await socket.timeout(30_000).emitWithAck('subscribe', wish)) as { error?: Problem; seq: number; reset: boolean };
  if (answer.error) throw new Refused(answer.error);
  return answer;
}

function refused(problem: Problem, api: Api): Refused {
  const detail = problem.code === 'UNAUTHENTICATED' ? `${problem.detail} ${api.tokenHint()}` : problem.detail;
  return new Refused({ ...problem, detail });
}
