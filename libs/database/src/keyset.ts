import { type SelectQueryBuilder, sql, type SqlBool } from 'kysely';

/** Which rows of an ordered list are wanted. */
export interface Keyset {
  /** Columns to order by; the last one, or all together, tell rows apart. */
  by: readonly string[];
  descending: boolean;
  page: {
    /** Rows to fetch at most. */
    limit: number;
    /** From the end of the list towards its start; the rows come in that order. */
    backwards: boolean;
    /** The values of `by` of the row to go on after; undefined at an end of the list. */
    cursor: readonly string[] | undefined;
  };
}

/** One page of a query by keyset, in the direction of travel: an index on `by` leads to its first row. */
export function pageByKeyset<Tables, Table extends keyof Tables, Row>(
  query: SelectQueryBuilder<Tables, Table, Row>,
  { by, descending, page }: Keyset,
): SelectQueryBuilder<Tables, Table, Row> {
  const direction = descending === page.backwards ? 'asc' : 'desc';
  const ordered = by.reduce(
    (rows, column) => rows.orderBy(sql.ref(column), direction),
    query.limit(page.limit),
  );
  if (page.cursor === undefined) return ordered;
  const place = sql.join(by.map((column) => sql.ref(column)));
  const beyond = sql.raw(direction === 'asc' ? '>' : '<');
  return ordered.where(sql<SqlBool>`(${place}) ${beyond} (${sql.join(page.cursor)})`);
}

/** How many rows a query without a selection has. */
export async function countRows<Tables, Table extends keyof Tables, Row>(
  query: SelectQueryBuilder<Tables, Table, Row>,
): Promise<number> {
  const { count } = await query
    .select(sql<string>`count(*)`.as('count'))
    .$castTo<{ count: string }>()
    .executeTakeFirstOrThrow();
  return Number(count);
}
