import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** A WebSocket whose reading can be stopped: the client of a process that hangs, or of a network that is slow. */
export class RawWebSocket {
  bytesRead = 0;
  closed = false;
  private readonly chunks: Buffer[] = [];

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.bytesRead += chunk.length;
      this.chunks.push(chunk);
    });
    socket.on('close', () => (this.closed = true));
    socket.on('error', () => undefined);
  }

  /** All frames as they came, to look for packets in; the heads of frames are in between. */
  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  static async open(url: string): Promise<RawWebSocket> {
    const { hostname, port, host, pathname, search } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    const [head] = (await once(socket, 'data')) as [Buffer];
    if (!head.toString('latin1').startsWith('HTTP/1.1 101'))
      throw new Error(`The upgrade was refused: ${head.toString('latin1').slice(0, 100)}`);
    return new RawWebSocket(socket);
  }

  /** One text frame of at most 125 bytes; its mask is zero, which leaves the payload as it is. */
  send(text: string): void {
    const payload = Buffer.from(text);
    this.socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
