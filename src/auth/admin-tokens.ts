import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { ConfigSync } from '../config/config-sync.js';
import { WakeUps } from '../events/wake-ups.js';
import { Redactor } from '../logging/redactor.js';
import { REPLICA_ID } from '../workers/workers.tokens.js';
import { ADMIN_TOKEN, newToken, replaceToken, tokenInFile, type AdminToken } from './admin-token.js';
import { AdminTokensStore } from './admin-tokens.store.js';
import { Authenticator, digest } from './authenticator.js';

const retryMs = 1_000;

export interface RotatedToken {
  /** Nowhere else from here on. */
  token: string;
  valid_from: string;
  /** How many tokens end. */
  ending: number;
  /** Whether the file that the old one came from holds the new one now. */
  file_replaced: boolean;
}

/**
 * Which root tokens hold: those that were issued by a rotation on every replica, and the one that a replica has started with on that replica; each
 * until a rotation has ended it, also when an environment still holds it. The database knows digests alone.
 */
@Injectable()
export class AdminTokens implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('AdminTokens');
  private readonly unsubscribe: (() => void)[] = [];
  private readonly own: Buffer;
  private version = 0;
  private reading: Promise<void> | undefined;
  private again = false;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private warned = false;

  constructor(
    private readonly store: AdminTokensStore,
    private readonly authenticator: Authenticator,
    private readonly wakeUps: WakeUps,
    private readonly config: ConfigSync,
    private readonly redactor: Redactor,
    @Inject(ADMIN_TOKEN) private readonly admin: AdminToken,
    @Inject(REPLICA_ID) private readonly replicaId: string,
  ) {
    this.own = digest(admin.token);
  }

  /** Before any door is open. */
  async onModuleInit(): Promise<void> {
    await this.store.register(this.own, this.replicaId);
    await this.read();
    const onBeat = ({ tokens_version }: { tokens_version: number }) => void (tokens_version !== this.version && this.refresh());
    this.config.onBeat.add(onBeat);
    this.unsubscribe.push(
      this.wakeUps.on('admin_tokens', () => void this.refresh()),
      () => this.config.onBeat.delete(onBeat),
    );
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    clearTimeout(this.timer);
    await this.reading;
  }

  /** Makes a new token; those that hold now go on for `overlapSeconds`. */
  async rotate(overlapSeconds: number, by: string): Promise<RotatedToken> {
    const token = newToken();
    this.redactor.add(token);
    const { valid_from, ending } = await this.store.issue(digest(token), overlapSeconds, by);
    // Whoever reads the file finds one that holds, also when this fails: then the old one, until it ends.
    const file_replaced = await replaceToken(this.admin, token).catch((error: Error) => {
      this.logger.warn(`The new root token could not be written to ${this.admin.file}: ${error.message}. Write it there yourself.`);
      return false;
    });
    await this.refresh();
    this.wakeUps.signal('admin_tokens');
    return { token, valid_from, ending, file_replaced };
  }

  /** Resolves when this replica heeds all that was committed before. */
  private refresh(): Promise<void> {
    this.again = true;
    clearTimeout(this.timer);
    this.reading ??= this.untilQuiet().finally(() => (this.reading = undefined));
    return this.reading;
  }

  private async untilQuiet(): Promise<void> {
    while (this.again && !this.stopped) {
      this.again = false;
      try {
        await this.read();
      } catch (error) {
        this.logger.warn(`Root tokens could not be read; it is tried again: ${(error as Error).message}`);
        if (!this.stopped) this.timer = setTimeout(() => void this.refresh(), retryMs).unref();
      }
    }
  }

  private async read(): Promise<void> {
    const stored = await this.store.list();
    const now = performance.now();
    const own = stored.find(({ digest: of }) => of.equals(this.own));
    const holding = stored
      .filter((token) => (token.issued || token === own) && (token.seconds_left === null || token.seconds_left > 0))
      .map(({ digest: of, seconds_left }) => ({ digest: of, endsAt: seconds_left === null ? Infinity : now + seconds_left * 1_000 }));
    // Of one that the database knows nothing of, nobody can have said that it has ended.
    this.authenticator.use(own ? holding : [...holding, { digest: this.own, endsAt: Infinity }]);
    this.version = stored.at(-1)?.version ?? 0;
    if (own?.valid_until && !this.warned && !(await this.isReplaced())) {
      this.warned = true;
      this.logger.warn(
        `The root token that this replica has started with ${own.seconds_left! > 0 ? 'ends' : 'has ended'} at ${own.valid_until} by rotate_admin_token. ` +
          `Put the new one ${this.admin.file ? `into ${this.admin.file}` : 'into ADMIN_TOKEN'} for its next start and for whoever reads it there.`,
      );
    }
  }

  /** Whether its file holds another one by now. */
  private async isReplaced(): Promise<boolean> {
    if (!this.admin.isOwnFile) return false;
    const now = await tokenInFile(this.admin).catch(() => undefined);
    return now !== undefined && now !== this.admin.token;
  }
}
