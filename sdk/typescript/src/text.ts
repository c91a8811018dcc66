/** Text that the server can store, of at most `limit` characters: without NUL and halves of characters. Takes what plain JavaScript gives it. */
export function storable(text: unknown, limit: number): string {
  return String(text).slice(0, limit).toWellFormed().replaceAll('\0', '\u{fffd}');
}
