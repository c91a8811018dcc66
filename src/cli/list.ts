import type { Context } from './context.js';
import type { Given } from './command.js';
import type { Column } from './table.js';
import type { Item } from './text.js';

/** A page of a list, or with `--all` everything: of that, lines of JSON are printed page by page, so that a list may have any length. */
export async function printList(
  { api, print }: Context,
  path: string,
  { all, ...query }: Given,
  columns: readonly Column[],
): Promise<void> {
  if (all !== true) return print.page(await api.page(path, query), columns);
  const items: Item[] = [];
  for await (const page of api.pages(path, query)) {
    if (print.output === 'ndjson') print.page({ items: page.items }, columns);
    else items.push(...page.items);
  }
  if (print.output !== 'ndjson') print.page({ items, next_cursor: null }, columns);
}
