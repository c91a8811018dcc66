import type { WakeUps } from '../events/wake-ups.js';
import type { LiveSettings } from '../live-settings.js';
import { describeProblem, readEnvFile, type SettingKey } from '../settings.js';
import type { ConfigStore, CurrentConfig, ReplicaDescription } from './config.store.js';
import { EnvFileWatch } from './env-file-watch.js';
import { textsOfOverrides, type Overrides } from './overrides.js';

/** Hints are fast, and may be lost. Also the sign of life of a replica. */
const pollMs = 12_000;
const retryMs = 1_000;

export interface ConfigSyncLog {
  info(message: string): void;
  warn(message: string): void;
}

/** An edit of `.env` that this replica does not take. */
export interface FileProblem {
  /** For anybody. */
  summary: string;
  /** For the log. */
  detail: string;
}

/** Keeps this replica's settings at the latest version and at what its `.env` says, and tells the others that it does. */
export class ConfigSync {
  version: number;
  overrides: Overrides;
  fileProblem: FileProblem | undefined;
  /** Is told when `fileProblem` has appeared. */
  onFileProblem: () => void = () => undefined;
  private readonly file: EnvFileWatch | undefined;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private stopped = false;
  private unsubscribe: (() => void) | undefined;
  /** What was acknowledged last. */
  private acknowledged = '';

  constructor(
    private readonly store: ConfigStore,
    private readonly live: LiveSettings,
    private readonly wakeUps: WakeUps,
    private readonly replicaId: string,
    private readonly describe: () => ReplicaDescription,
    { version, overrides }: CurrentConfig,
    private readonly envFile: string | undefined,
    private readonly log: ConfigSyncLog,
  ) {
    this.version = version;
    this.overrides = overrides;
    this.file = envFile === undefined ? undefined : new EnvFileWatch(envFile, () => this.reloadFile());
  }

  async start(): Promise<void> {
    this.unsubscribe = this.wakeUps.on('config', () => void this.refresh());
    this.file?.start();
    this.warnOfRefused();
    await this.refresh();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.unsubscribe?.();
    this.file?.stop();
    clearTimeout(this.timer);
    await this.running;
    await this.store.leave(this.replicaId).catch(() => undefined);
  }

  /** Resolves when this replica applies the latest version of all that was committed before. */
  async refresh(): Promise<void> {
    if (this.stopped) return;
    if (this.running) {
      this.again = true;
      return this.running;
    }
    clearTimeout(this.timer);
    this.running = this.untilQuiet().finally(() => (this.running = undefined));
    await this.running;
  }

  /** Reads `.env` again. */
  reloadFile(): void {
    if (this.envFile === undefined || this.stopped) return;
    const before = this.live.waiting;
    const problem = this.takeFile(this.envFile);
    if (problem) {
      if (problem.detail !== this.fileProblem?.detail) this.log.warn(`${this.envFile} was changed, and is not taken: ${problem.detail}`);
      this.fileProblem = problem;
      this.onFileProblem();
      return;
    }
    this.fileProblem = undefined;
    const waiting = this.live.waiting.filter((key) => !before.includes(key));
    const later = waiting.length > 0 ? `; what needs a restart: ${waiting.join(', ')}` : '';
    this.log.info(`${this.envFile} was read again${later}`);
    void this.refresh();
  }

  private takeFile(path: string): FileProblem | undefined {
    try {
      const problems = this.live.replaceFile(readEnvFile(path));
      if (problems.length === 0) return undefined;
      const keys: SettingKey[] = [...new Set(problems.flatMap((problem) => problem.keys))];
      return {
        summary: `An edit of .env is not valid (${keys.join(', ')}); the values before it hold. The log says what is accepted.`,
        detail: `${problems.map(describeProblem).join(' ')} The values before it hold.`,
      };
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException;
      return {
        summary: '.env cannot be read; the values before hold. The log says why.',
        detail: `it cannot be read (${code}). The values before hold.`,
      };
    }
  }

  private async untilQuiet(): Promise<void> {
    let waitMs: number;
    do {
      this.again = false;
      waitMs = await this.turn().then(
        () => pollMs * (0.75 + Math.random() / 2),
        (error: Error) => {
          this.log.warn(`The configuration could not be read; it is tried again: ${error.message}`);
          return retryMs;
        },
      );
    } while (this.again && !this.stopped);
    if (!this.stopped) this.timer = setTimeout(() => void this.refresh(), waitMs).unref();
  }

  private async turn(): Promise<void> {
    const latest = await this.store.beat(this.replicaId, this.describe());
    if (latest.version !== this.version) {
      const { version, overrides } = await this.store.current();
      this.live.override(textsOfOverrides(overrides));
      this.version = version;
      this.overrides = overrides;
      this.log.info(`Version ${version} of the configuration is applied`);
      this.warnOfRefused();
    }
    const { waiting, refused } = this.live;
    const now = JSON.stringify([this.version, waiting, refused]);
    if (now === this.acknowledged && latest.acknowledged !== null) return;
    await this.store.acknowledge(this.replicaId, this.version, waiting, refused);
    this.acknowledged = now;
  }

  private warnOfRefused(): void {
    const { refused } = this.live;
    if (refused.length > 0) this.log.warn(`Overrides that this replica does not accept, and does without: ${refused.join(', ')}`);
  }
}
