export interface Page<Item, Cursor> {
  items: Item[];
  /** Pass it as `cursor` to get the next page; null on the last one. */
  next_cursor: Cursor | null;
}

/** A page from `limit + 1` rows: the extra one only proves that there is more. */
export function pageOf<Item, Cursor>(rows: Item[], limit: number, cursorOf: (item: Item) => Cursor): Page<Item, Cursor> {
  const items = rows.slice(0, limit);
  return { items, next_cursor: rows.length > limit ? cursorOf(items.at(-1)!) : null };
}
