const terminal = new Set(['completed', 'failed', 'cancelled']);

/** The tasks of one demo, as their events tell of them. */
export class Board {
  rows = [];
  /** Seconds between queued and started, of every attempt. */
  waits = [];
  events = 0;
  startedAt = performance.now();
  #byId = new Map();
  #planned = false;

  constructor(run, url) {
    this.run = run;
    this.url = url;
  }

  /** What the demo knows of its tasks beyond their events; they may have been heard of already. */
  plan(specs) {
    for (const { id, task, ends, cancelWhen, shows } of specs) Object.assign(this.#row(id, task), { ends, cancelWhen, shows });
    this.#planned = true;
  }

  hear(event) {
    this.events += 1;
    // A log line tells of the task only what was so anyway.
    if (event.action === 'task_log') return;
    const row = this.#row(event.id, event);
    const { status, progress, attempt, max_attempts, error, version } = event;
    Object.assign(row, { status, progress: progress ?? 0, attempt, max_attempts, error, version, isFinished: terminal.has(status) });
    if (event.action === 'task_started') {
      row.startedAt = performance.now();
      const wait = (Date.parse(event.started_at) - Date.parse(event.queued_at)) / 1_000;
      if (Number.isFinite(wait)) this.waits.push(Math.max(0, wait));
    }
    if (row.isFinished) row.finishedAt = performance.now();
  }

  isComplete() {
    return this.#planned && this.rows.every((row) => row.isFinished);
  }

  count(...statuses) {
    return this.rows.filter((row) => statuses.includes(row.status)).length;
  }

  get seconds() {
    return (performance.now() - this.startedAt) / 1_000;
  }

  #row(id, { name, type, priority = 'medium' }) {
    let row = this.#byId.get(id);
    if (!row) {
      row = { id, name, type, priority, status: 'pending', progress: 0, attempt: 0, isFinished: false };
      this.#byId.set(id, row);
      this.rows.push(row);
    }
    return row;
  }
}
