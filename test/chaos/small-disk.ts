import { spawnSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';

const roomyMegabytes = 2_048;
/** What the database gives back while the disk is full (a removed file) is taken away again this often. */
const pressMs = 100;

/** A disk in memory that can be full: its size is set to what is in use, and back. Only root may mount one, and not everywhere. */
export class SmallDisk {
  private readonly directory: string;
  private pressing: NodeJS.Timeout | undefined;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Makes `directory` such a disk. Throws a sentence where that is not allowed. */
  static mount(directory: string): SmallDisk {
    mkdirSync(directory);
    run('mount', '-t', 'tmpfs', '-o', `size=${roomyMegabytes}m,mode=0755`, 'arkitect-chaos', directory);
    return new SmallDisk(directory);
  }

  /** From now on nothing more fits, until `free`. */
  fill(): void {
    this.shrink();
    this.pressing = setInterval(() => this.shrink(), pressMs).unref();
  }

  free(): void {
    clearInterval(this.pressing);
    run('mount', '-o', `remount,size=${roomyMegabytes}m`, this.directory);
  }

  /** At once for everybody who looks, whoever still has files open there. */
  unmount(): void {
    clearInterval(this.pressing);
    run('umount', '-l', this.directory);
  }

  private shrink(): void {
    const { blocks, bfree, bsize } = statfsSync(this.directory);
    // Fails when something was written in between; what little that left is taken away next time.
    if (bfree) spawnSync('mount', ['-o', `remount,size=${(blocks - bfree) * bsize}`, this.directory]);
  }
}

function run(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(error?.message ?? stderr.trim().split('\n')[0]);
}
