type Ask = (query: string, variables: object) => Promise<ReturnType<typeof JSON.parse>>;

/** The ids of all contacts, read in pages of seven. */
export async function walkContacts(
  ask: Ask,
  order: string,
  direction: 'forwards' | 'backwards',
): Promise<string[]> {
  const isForwards = direction === 'forwards';
  const place = isForwards ? 'first: 7, after: $cursor' : 'last: 7, before: $cursor';
  const query = `query ($cursor: String) { contacts(${place}, ${order}) { nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
  const pages: string[][] = [];
  let cursor: string | null = null;
  for (;;) {
    const { data } = await ask(query, { cursor });
    pages.push(data.contacts.nodes.map(({ id }: { id: string }) => id));
    const { hasNextPage, hasPreviousPage, startCursor, endCursor } = data.contacts.pageInfo;
    if (!(isForwards ? hasNextPage : hasPreviousPage))
      return (isForwards ? pages : pages.toReversed()).flat();
    cursor = isForwards ? endCursor : startCursor;
  }
}
