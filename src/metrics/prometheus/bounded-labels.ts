export const other = 'other';

/**
 * Keeps the number of values that a label takes small, whatever callers send: the first `limit` of them are kept as they are, the
 * rest is `other`. Every value is a series in the scraper's database, for ever.
 */
export class BoundedLabel {
  private readonly known = new Set<string>();

  constructor(private readonly limit: number) {}

  of(value: string): string {
    if (this.known.has(value)) return value;
    if (this.known.size >= this.limit) return other;
    this.known.add(value);
    return value;
  }
}
