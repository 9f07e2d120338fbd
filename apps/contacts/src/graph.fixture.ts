import type { KeyObject } from 'node:crypto';
import { ApiKeyId, type Role, UserId, WorkspaceId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { IDENTITY_HEADER, signIdentity } from '@manifold/subgraph';

/** Asks the subgraph as the gateway would, for a workspace of its own or another. */
export function createAsker({ privateKey, port }: { privateKey: KeyObject; port: number }) {
  const workspaceId = newId('ws', WorkspaceId);
  async function ask(
    query: string,
    variables: Record<string, unknown> = {},
    { of = workspaceId, role = 'OWNER' }: { of?: WorkspaceId; role?: Role } = {},
  ) {
    const identity = {
      ...{ workspaceId: of, userId: newId('us', UserId), role },
      ...{ apiKeyId: newId('ak', ApiKeyId), entitlements: [] },
    };
    const body = JSON.stringify({ query, variables });
    const signed = await signIdentity(identity, {
      privateKey,
      audience: 'contacts',
      body,
      correlationId: 'c',
    });
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [IDENTITY_HEADER]: signed },
      body,
    });
    return JSON.parse(await response.text());
  }

  /** The ids of all contacts, read in pages of seven. */
  async function walk(order: string, direction: 'forwards' | 'backwards'): Promise<string[]> {
    const isForwards = direction === 'forwards';
    const pages: string[][] = [];
    let cursor: string | null = null;
    for (;;) {
      const place: string = isForwards ? `first: 7, after: $cursor` : `last: 7, before: $cursor`;
      const { data } = await ask(
        `query ($cursor: String) { contacts(${place}, ${order}) { nodes { id }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
        { cursor },
      );
      pages.push(data.contacts.nodes.map(({ id }: { id: string }) => id));
      const { hasNextPage, hasPreviousPage, startCursor, endCursor } = data.contacts.pageInfo;
      if (!(isForwards ? hasNextPage : hasPreviousPage))
        return (isForwards ? pages : pages.toReversed()).flat();
      cursor = isForwards ? endCursor : startCursor;
    }
  }
  return { ask, walk };
}
