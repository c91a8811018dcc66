import { Injectable, Logger } from '@nestjs/common';
import type { Socket } from 'socket.io';
import { drained } from '../../transport/socket-pace.js';
import type { LogStart } from './log-watch.js';
import type { FollowedLines } from './logs.service.js';

/** Sockets that hear of lines as they are stored. A socket has one subscription; a new one takes the place of the old. */
@Injectable()
export class LogSubscriptions {
  private readonly logger = new Logger('LogSubscriptions');
  private readonly current = new Map<Socket, AbortController>();

  /** Resolves with where the lines begin; they come as `admin_log` after that. */
  async subscribe(socket: Socket, follow: (signal: AbortSignal) => AsyncGenerator<FollowedLines>): Promise<LogStart> {
    this.remove(socket);
    const controller = new AbortController();
    if (socket.connected) this.current.set(socket, controller);
    else controller.abort();
    const lines = follow(controller.signal);
    try {
      const first = await lines.next();
      if (first.done || !('start' in first.value)) throw new Error('Lines have no beginning.');
      const { start } = first.value;
      // The ack goes out first.
      setImmediate(() => void this.send(socket, lines, controller));
      return start;
    } catch (error) {
      if (this.current.get(socket) === controller) this.remove(socket);
      throw error;
    }
  }

  remove(socket: Socket): void {
    this.current.get(socket)?.abort();
    this.current.delete(socket);
  }

  /** A client that reads slowly slows its own reading of the database. */
  private async send(socket: Socket, lines: AsyncGenerator<FollowedLines>, { signal }: AbortController): Promise<void> {
    try {
      for await (const item of lines) {
        if (signal.aborted) return;
        if ('lines' in item) for (const line of item.lines) socket.emit('admin_log', line);
        else socket.emit('admin_log_reset', { id: item.start.id });
        await drained(socket);
      }
    } catch (error) {
      // The client comes back with the last line that it has seen.
      this.logger.warn(`Following the log was cut short: ${(error as Error).message}`);
      socket.disconnect(true);
    }
  }
}
