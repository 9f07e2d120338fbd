import { randomUUID } from 'node:crypto';
import { ConnectionId, UserId, type WorkspaceId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import type { Connection, StoredGrant } from '../src/accounts/tables.ts';

const at = new Date('2026-03-01T10:00:00Z');

/** A connection as it is stored; nothing in it is really sealed. */
export const connectionRow = (
  workspaceId: WorkspaceId,
  change: Partial<Connection> = {},
): Connection => ({
  workspace_id: workspaceId,
  id: newId('cn', ConnectionId),
  user_id: newId('us', UserId),
  kind: 'ORGANIZATION',
  method: 'OAUTH',
  status: 'ACTIVE',
  status_reason: null,
  company_id: '1',
  company_name: 'A',
  company_domain: 'a',
  api_domain: 'https://a.pipedrive.com',
  pipedrive_user_id: '2',
  is_admin: true,
  scopes: [],
  access_token: null,
  token_version: 1,
  grant_id: null,
  app_name: 'default',
  accepts_limited_visibility: false,
  disabled_by: null,
  broken_since: null,
  webhook_state: 'ACTIVE',
  webhook_id: '3',
  webhook_path: 'sealed',
  webhook_path_hash: randomUUID(),
  webhook_password: 'sealed',
  is_renewal: false,
  established_at: at,
  upkeep_at: at,
  correlation_id: 'c',
  created_at: at,
  updated_at: at,
  ...change,
});

export const grantRow = (change: Partial<StoredGrant> = {}): StoredGrant => ({
  id: randomUUID(),
  client_id: 'test-app',
  company_id: '1',
  pipedrive_user_id: '2',
  api_domain: 'https://a.pipedrive.com',
  scopes: ['contacts:read'],
  access_token: 'sealed',
  refresh_token: 'sealed',
  expires_at: at,
  refresh_at: at,
  token_version: 1,
  created_at: at,
  renewed_at: at,
  release_at: null,
  ...change,
});
