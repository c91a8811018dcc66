import { isDataError } from '../database/database-errors.js';

interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

export interface BatcherOptions<Item> {
  /** Rows of one statement (500), or what says how many just now. */
  maxItems?: number | (() => number);
  /** Statements at the same time (2). Another one than the first starts only when a full batch waits: many small ones cost more than they save. */
  maxInFlight?: number;
  /** Items with the same key never share a statement; the later one waits for the next. */
  keyOf?(item: Item): string;
}

/**
 * Group commit: calls that arrive together become one statement, and each caller is answered when that statement has
 * committed. A caller alone does not wait for others: what gathers is what arrives while the statements before it run.
 * A batch that the database refuses for its values is tried again item by item, so a bad row fails nobody but its caller.
 */
export class Batcher<Item, Result> {
  private readonly waiting: Waiting<Item, Result>[] = [];
  private inFlight = 0;
  private scheduled = false;
  private readonly maxItems: () => number;
  private readonly maxInFlight: number;

  constructor(
    /** Runs one statement; answers a result for each item, in order. */
    private readonly run: (items: Item[]) => Promise<Result[]>,
    private readonly options: BatcherOptions<Item> = {},
  ) {
    const { maxItems = 500 } = options;
    this.maxItems = typeof maxItems === 'number' ? () => maxItems : maxItems;
    this.maxInFlight = options.maxInFlight ?? 2;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.schedule();
    });
  }

  /** At the end of this turn of the event loop: requests that were read together travel together. */
  private schedule(): void {
    if (this.scheduled || !this.waiting.length) return;
    if (this.inFlight >= (this.waiting.length >= this.maxItems() ? this.maxInFlight : 1)) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      void this.flush();
    });
  }

  private async flush(): Promise<void> {
    const batch = this.take();
    if (!batch.length) return;
    this.inFlight += 1;
    this.schedule();
    await this.settle(batch);
    this.inFlight -= 1;
    this.schedule();
  }

  private take(): Waiting<Item, Result>[] {
    const { keyOf } = this.options;
    const maxItems = this.maxItems();
    if (!keyOf) return this.waiting.splice(0, maxItems);
    const keys = new Set<string>();
    const batch: Waiting<Item, Result>[] = [];
    const later: Waiting<Item, Result>[] = [];
    for (const entry of this.waiting.splice(0)) {
      const key = keyOf(entry.item);
      if (batch.length === maxItems || keys.has(key)) later.push(entry);
      else batch.push(entry);
      keys.add(key);
    }
    this.waiting.push(...later);
    return batch;
  }

  private async settle(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.run(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => resolve(results[index]!));
    } catch (error) {
      if (batch.length > 1 && isDataError(error as object)) {
        for (const entry of batch) await this.settle([entry]);
      } else {
        for (const { reject } of batch) reject(error);
      }
    }
  }
}
