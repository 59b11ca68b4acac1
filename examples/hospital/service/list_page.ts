// Lists are answered page by page: `?limit=` (1 to 100) and `?after=`, the id of the last item the caller has seen. One item more
// than asked for is read, to know whether there is a next page.
import { badRequest } from './http_error.ts';

export interface ListPage {
  readonly limit: number;
  readonly after: string | undefined;
}

export function readListPage(url: URL): ListPage {
  for (const name of url.searchParams.keys()) {
    if (name !== 'limit' && name !== 'after')
      throw badRequest('Lists know the parameters "limit" and "after".');
    if (url.searchParams.getAll(name).length > 1) throw badRequest(`"${name}" is given twice.`);
  }
  const limit = url.searchParams.get('limit') ?? '50';
  if (!/^[1-9]\d?$|^100$/.test(limit)) throw badRequest('"limit" must be a whole number from 1 to 100.');
  const after = url.searchParams.get('after') ?? undefined;
  if (after !== undefined && !/^[\w-]{1,64}$/.test(after))
    throw badRequest('"after" is not an id from this list.');
  return { limit: Number(limit), after };
}

export function listAnswer<T extends { readonly id: string }>(
  rows: readonly T[],
  { limit }: ListPage,
): { items: readonly T[]; next?: string } {
  if (rows.length <= limit) return { items: rows };
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return last === undefined ? { items } : { items, next: last.id };
}
