import { unwatchFile, watch, watchFile, type FSWatcher, type Stats } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Editors write a file in several steps. */
const settleMs = 150;
/** Where the system tells nothing (network file systems, some containers), looking does. */
const pollMs = 5_000;

/** Calls back when a file was written, replaced, made or removed. Its directory is watched, as editors replace files by others. */
export class EnvFileWatch {
  private watcher: FSWatcher | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly onStat = (now: Stats, before: Stats) => {
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino) this.touched();
  };

  constructor(
    private readonly path: string,
    private readonly onChange: () => void,
  ) {}

  start(): void {
    watchFile(this.path, { interval: pollMs, persistent: false }, this.onStat);
    try {
      this.watcher = watch(dirname(this.path), { persistent: false }, (_event, name) => {
        if (name === null || name === basename(this.path)) this.touched();
      });
      this.watcher.on('error', () => this.watcher?.close());
    } catch {
      // No such directory, or no watches left: polling goes on.
    }
  }

  stop(): void {
    clearTimeout(this.timer);
    this.watcher?.close();
    unwatchFile(this.path, this.onStat);
  }

  private touched(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.onChange, settleMs).unref();
  }
}
