/** The Engine.IO protocol by hand: fetch for polling, Node's own WebSocket for the rest. */

type Frame = string | Buffer;

const opened = new Set<RawSocket>();

/** A WebSocket whose frames are taken one by one; pings are answered, and not shown, unless `pong` is false. */
export class RawSocket {
  private readonly frames: Frame[] = [];
  private wake: () => void = () => undefined;
  pings = 0;
  closed = false;
  private readonly socket: WebSocket;

  constructor(url: string, query: string, pong = true) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?${query}`);
    this.socket.binaryType = 'arraybuffer';
    this.socket.addEventListener('message', ({ data }: { data: string | ArrayBuffer }) => {
      if (data === '2') {
        this.pings += 1;
        if (pong) this.send('3');
      } else {
        this.frames.push(typeof data === 'string' ? data : Buffer.from(data));
      }
      this.wake();
    });
    for (const event of ['close', 'error'] as const) {
      this.socket.addEventListener(event, () => {
        this.closed = true;
        this.wake();
      });
    }
    this.socket.addEventListener('open', () => this.wake());
    opened.add(this);
  }

  /** Connected to the namespace, past its answer and its welcome. */
  static async in(url: string, namespace: string, auth = '', pong = true): Promise<RawSocket> {
    const socket = new RawSocket(url, 'EIO=4&transport=websocket', pong);
    await socket.next();
    socket.send(`40${namespace},${auth}`);
    const answer = await socket.next();
    if (!String(answer).startsWith(`40${namespace},{"sid":`)) throw new Error(`The namespace answered ${String(answer)}`);
    await socket.next();
    return socket;
  }

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    this.socket.send(frame);
  }

  close(): void {
    this.socket.close();
  }

  /** The next frame; rejects when the connection ends before. */
  async next(): Promise<Frame> {
    await this.until(() => this.frames.length > 0 || this.closed);
    const frame = this.frames.shift();
    if (frame === undefined) throw new Error('The connection was closed.');
    return frame;
  }

  opens(): Promise<void> {
    return this.until(() => this.socket.readyState === WebSocket.OPEN);
  }

  /** Resolves when the server ends the connection. What arrived before stays to be read by `next`. */
  closes(): Promise<void> {
    return this.until(() => this.closed);
  }

  pinged(times: number): Promise<void> {
    return this.until(() => this.pings >= times);
  }

  private async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.wake = resolve));
  }
}

export function closeRawSockets(): void {
  for (const socket of opened) socket.close();
  opened.clear();
}

export interface PollAnswer {
  status: number;
  text: string;
}

/** One request of the polling transport. */
export async function poll(url: string, query: string, body?: string, method = body === undefined ? 'GET' : 'POST'): Promise<PollAnswer> {
  const response = await fetch(`${url}/socket.io/?${query}`, { method, ...(body !== undefined && { body }) });
  return { status: response.status, text: await response.text() };
}

/** A new polling session: the query that later requests carry, and what the handshake said. */
export async function openPolling(url: string): Promise<{ query: string; handshake: Record<string, unknown> }> {
  const { text } = await poll(url, 'EIO=4&transport=polling');
  const handshake = JSON.parse(text.slice(1)) as { sid: string };
  return { query: `EIO=4&transport=polling&sid=${handshake.sid}`, handshake };
}
