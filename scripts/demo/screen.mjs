import { drawFrame } from './frame.mjs';
import { looks, painter } from './style.mjs';

const frameMs = 100;

/** Shows a board: redrawn in place on a terminal, as plain lines anywhere else. */
export function openScreen(out = process.stdout) {
  const isTerminal = out.isTTY && process.env.TERM !== 'dumb';
  const color = isTerminal && !process.env.NO_COLOR;
  return isTerminal ? new LiveScreen(out, color) : new PlainScreen(out, color);
}

class LiveScreen {
  #board;
  #timer;
  #height = 0;

  constructor(out, color) {
    this.out = out;
    this.color = color;
  }

  open(board) {
    this.#board = board;
    this.out.write('\u001b[?25l\n');
    // A resized terminal has wrapped what was there: begin again on an empty one.
    this.out.on('resize', this.#startOver);
    this.#timer = setInterval(() => this.#draw(), frameMs);
  }

  hear() {}

  close() {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.out.off('resize', this.#startOver);
    this.#draw();
    this.out.write('\u001b[?25h');
  }

  #startOver = () => {
    this.#height = 0;
    this.out.write('\u001b[2J\u001b[H');
  };

  #draw() {
    const size = { width: this.out.columns || 80, height: (this.out.rows || 24) - 1 };
    const lines = drawFrame(this.#board, { ...size, paint: painter(this.color) });
    const up = this.#height ? `\u001b[${this.#height}A\r` : '';
    this.#height = lines.length;
    // One write a frame, each line cleared behind its end: nothing flickers.
    this.out.write(`${up}${lines.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
  }
}

class PlainScreen {
  constructor(out, color) {
    this.out = out;
    this.color = color;
  }

  open(board) {
    this.out.write(`ARKITECT demo: tasks with the label demo=${board.run} on ${board.url}\n`);
  }

  hear({ action, name, status, attempt, error }, board) {
    if (action === 'task_progress' || action === 'task_log') return;
    const again = attempt > 1 ? `  attempt ${attempt}` : '';
    const why = error && status !== 'running' ? `  ${error.code}` : '';
    this.out.write(`${board.seconds.toFixed(2).padStart(7)} s  ${looks[status][0]} ${action.padEnd(14)}  ${name}${again}${why}\n`);
  }

  close() {}
}
