import { randomUUID } from 'node:crypto';
import { ConnectionId } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import { openSecret } from '../src/accounts/tokens/credential.ts';
import { findConnection } from '../src/accounts/store.ts';
import type { Db } from '../src/store.ts';
import { basicAuthorization } from '../src/vault/compare.ts';
import { type Installation, newWorkspace, openTestVault } from './installation.ts';

const CONNECT = `mutation ($input: ConnectWithApiTokenInput!) {
  connectWithApiToken(input: $input) { connection { id company { id } } } }`;

/** The body of a webhook of version 2.0; the person's name must not show up anywhere. */
export interface Payload {
  meta: Record<string, unknown>;
  data: object | null;
  previous: object | null;
}

export type Deliveries = Awaited<ReturnType<typeof connectForDeliveries>>;

/** A fresh workspace with a connection, and what Pipedrive was told about its webhook. */
export async function connectForDeliveries(
  installation: Installation,
  { db, apiToken }: { db: Db; apiToken: string },
) {
  const workspaceId = newWorkspace();
  const input = { apiToken, kind: 'ORGANIZATION' };
  const { data } = await installation.graph(CONNECT, { input }, { workspaceId });
  const made = data.connectWithApiToken.connection;
  const id = ConnectionId.parse(made.id);
  const row = await acrossWorkspaces(db, (tx) => findConnection(tx, id));
  if (!row) throw new Error('the connection was not stored');
  const vault = await openTestVault(db);
  const address = `${installation.publicUrl}/webhooks/${openSecret(vault, row, 'webhook_path')}`;
  const password = openSecret(vault, row, 'webhook_password') ?? '';

  const change = (meta: Record<string, unknown> = {}): Payload => ({
    meta: {
      id: randomUUID(),
      action: 'change',
      entity: 'person',
      entity_id: '8',
      company_id: made.company.id,
      user_id: '12415231',
      correlation_id: randomUUID(),
      timestamp: '2026-03-01T10:00:00.250Z',
      version: '2.0',
      attempt: 1,
      ...meta,
    },
    data: { id: 8, name: 'Ada Canary', update_time: '2026-03-01T10:00:00Z', custom_fields: null },
    previous: { name: 'Ada' },
  });

  /** Sends a body as Pipedrive would, unless told otherwise; returns the status of the answer. */
  async function deliver(
    payload: unknown,
    { to = address, headers = {} }: { to?: string; headers?: Record<string, string> } = {},
  ): Promise<number> {
    const response = await fetch(to, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: basicAuthorization('manifold', password),
        ...headers,
      },
      body: typeof payload === 'string' ? payload : JSON.stringify(payload),
    });
    return response.status;
  }
  return { workspaceId, id, address, password, vault, change, deliver };
}
