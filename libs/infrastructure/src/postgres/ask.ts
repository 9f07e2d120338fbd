import pg from 'pg';

/** Runs SQL on a connection of its own; the first column of its last result. For the tests of this lib. */
export async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    // several statements give an array of results, which the driver's types do not say
    const result = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return (
      [result]
        .flat()
        .at(-1)
        ?.rows.map(([value]) => value) ?? []
    );
  } finally {
    await client.end();
  }
}
