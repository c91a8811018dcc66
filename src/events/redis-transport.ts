import type { RedisBus } from './redis-bus.js';
import type { WakeUpTransport } from './wake-up-transport.js';

/** Wake-ups by Redis, on a bus that its owner starts and closes. */
export class RedisTransport implements WakeUpTransport {
  constructor(private readonly bus: RedisBus) {}

  get connected(): boolean {
    return this.bus.connected;
  }

  async start(receive: (kinds: string) => void, missed: () => void): Promise<void> {
    this.bus.on('wake-ups', receive);
    this.bus.onChange(missed);
  }

  send(kinds: string): Promise<void> {
    return this.bus.publish('wake-ups', kinds);
  }

  async stop(): Promise<void> {}
}
