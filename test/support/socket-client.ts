import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import type { TaskEventView } from '../../src/events/events.js';

export type ClientOptions = Partial<ManagerOptions & SocketOptions>;

const clients = new Set<Socket>();

/** A client of its own connection that does not come back by itself. */
export function openSocket(url: string, options: ClientOptions = {}): Socket {
  const client = io(url, { forceNew: true, reconnection: false, ...options });
  clients.add(client);
  return client;
}

export function connectSocket(url: string, options?: ClientOptions): Promise<Socket> {
  const client = openSocket(url, options);
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client));
    client.once('connect_error', reject);
  });
}

/** The `connect_error` of a client that is to be refused. */
export function refusedSocket(url: string, options?: ClientOptions): Promise<Error & { data?: unknown }> {
  const client = openSocket(url, options);
  return new Promise((resolve, reject) => {
    client.once('connect', () => reject(new Error('The client was let in.')));
    client.once('connect_error', resolve);
  });
}

/** For `afterEach`: ends whatever a test has opened. */
export function closeSockets(): void {
  for (const client of clients) client.disconnect();
  clients.clear();
}

/** Resolves at the next `event`. */
export function heard(socket: Socket, event: 'connect' | 'disconnect'): Promise<void> {
  return new Promise((resolve) => socket.once(event, () => resolve()));
}

// What a test reads from an answer is checked by its assertions.
// oxlint-disable-next-line typescript/no-explicit-any
export function ask(socket: Socket, message: string, ...payload: unknown[]): Promise<any> {
  return socket.timeout(20_000).emitWithAck(message, ...payload);
}

export type NamedEvent = TaskEventView & { event: string };

/** All events that arrive from now on, in their order. */
export function collectEvents(socket: Socket): NamedEvent[] {
  const events: NamedEvent[] = [];
  socket.onAny((event: string, payload: TaskEventView) => events.push({ event, ...payload }));
  return events;
}
