import { writeSync } from 'node:fs';

/** More than this is written at once. */
const fullLength = 64 * 1024;
/** A reader that stands still holds us up when this much waits for it, as it would without us. */
const maxWaitingBytes = 1024 * 1024;
const retryMs = 10;
/** Who does not read at the end of the process does not keep it from ending. */
const exitMs = 5_000;

/**
 * Writes lines to a file descriptor, those of one turn of the event loop together: each write is a system call, which costs more than
 * the line. Nothing is lost when the process ends by `process.exit`, by a signal that is handled, or by an uncaught error.
 */
export class LineWriter {
  private lines = '';
  private waiting: Buffer = Buffer.alloc(0);
  private planned = false;
  private closed = false;

  constructor(private readonly descriptor: number) {
    process.on('exit', () => this.flush(performance.now() + exitMs));
  }

  /** `urgent`: not only at the end of this turn. */
  write(line: string, urgent = false): void {
    if (this.closed) return;
    this.lines += line;
    if (urgent || this.lines.length > fullLength) this.flush();
    else this.plan();
  }

  /** Writes all there is, and does nothing else meanwhile. */
  private flush(until = Infinity): void {
    this.gather();
    while (this.waiting.length > 0 && performance.now() < until) if (!this.attempt()) pause();
  }

  private plan(): void {
    if (this.planned) return;
    this.planned = true;
    setImmediate(() => this.turn());
  }

  private turn(): void {
    this.planned = false;
    this.gather();
    while (this.waiting.length > 0) {
      if (this.attempt()) continue;
      if (this.waiting.length > maxWaitingBytes) return this.flush();
      this.planned = true;
      setTimeout(() => this.turn(), retryMs);
      return;
    }
  }

  private gather(): void {
    if (this.lines === '') return;
    const lines = Buffer.from(this.lines);
    this.waiting = this.waiting.length > 0 ? Buffer.concat([this.waiting, lines]) : lines;
    this.lines = '';
  }

  /** False when nobody takes anything just now. */
  private attempt(): boolean {
    try {
      this.waiting = this.waiting.subarray(writeSync(this.descriptor, this.waiting));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
      // Whoever read the lines is gone, or the disk is full: a server does not end for that.
      this.waiting = Buffer.alloc(0);
      this.closed = (error as NodeJS.ErrnoException).code === 'EPIPE';
      return true;
    }
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
}
