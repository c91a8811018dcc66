import type pg from 'pg';
import { statement, type Database } from '../database/database.js';
import type { WakeUpTransport } from './wake-up-transport.js';

const notifyStatement = statement('notify', "SELECT pg_notify('arkitect_wake_ups', $1)");

const reconnectMs = 1_000;
const probeMs = 10_000;

/** Wake-ups by PostgreSQL: NOTIFY from the pool, LISTEN on a connection of its own, which is made again when it breaks. */
export class NotifyTransport implements WakeUpTransport {
  private client: pg.Client | undefined;
  private reconnectTimer: NodeJS.Timeout | undefined;
  private probeTimer: NodeJS.Timeout | undefined;
  private stopped = false;
  private receive: (kinds: string) => void = () => undefined;
  private missed: () => void = () => undefined;

  constructor(
    private readonly database: Database,
    private readonly replicaId: string,
    private readonly onError: (error: Error) => void,
  ) {}

  get connected(): boolean {
    return this.client !== undefined;
  }

  async start(receive: (kinds: string) => void, missed: () => void): Promise<void> {
    this.receive = receive;
    this.missed = missed;
    await this.listen();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.reconnectTimer);
    clearTimeout(this.probeTimer);
    await this.client?.end().catch(() => undefined);
  }

  async send(kinds: string): Promise<void> {
    await this.database.loops.query(notifyStatement, [`${this.replicaId} ${kinds}`]);
  }

  private async listen(): Promise<void> {
    const client = await this.database.connect('wake-ups');
    client.on('notification', ({ payload = '' }) => {
      const [replicaId, kinds = ''] = payload.split(' ');
      if (replicaId !== this.replicaId) this.receive(kinds);
    });
    try {
      await client.query('LISTEN arkitect_wake_ups');
    } catch (error) {
      await client.end();
      throw error;
    }
    client.on('end', () => this.reconnect());
    this.client = client;
    this.probe(client);
    this.missed();
  }

  /** A listening connection is quiet by nature, and so is one that the network has lost: asking tells them apart. */
  private probe(client: pg.Client): void {
    this.probeTimer = setTimeout(() => {
      client.query('SELECT 1').then(
        () => this.client === client && this.probe(client),
        () => client.end(),
      );
    }, probeMs);
  }

  private reconnect(): void {
    clearTimeout(this.probeTimer);
    this.client = undefined;
    if (this.stopped) return;
    this.reconnectTimer = setTimeout(() => {
      this.listen().catch((error: Error) => {
        this.onError(error);
        this.reconnect();
      });
    }, reconnectMs);
  }
}
