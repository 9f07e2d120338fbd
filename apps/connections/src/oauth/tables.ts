import type { ConnectionId, UserId, WorkspaceId } from '@manifold/contracts';

/** An authorization that was begun; its state comes back with the browser, once. */
export interface OauthStateTable {
  workspace_id: WorkspaceId;
  /** For sealing; never shown. */
  id: string;
  /** Keyed hash; the state itself is never stored. */
  state_hash: string;
  user_id: UserId;
  kind: 'ORGANIZATION' | 'PERSONAL';
  return_url: string | null;
  correlation_id: string;
  /** The registered app it was begun with. */
  app_name: string;
  accepts_limited_visibility: boolean;
  /** Begun with the role ADMIN at least. */
  by_admin: boolean;
  terms_version: string | null;
  expires_at: Date;
  used_at: Date | null;
  created_at: Date;
  /** Keyed hash of the code its person completes it with; null until Pipedrive sent them back. */
  code_hash: string | null;
  code_expires_at: Date | null;
  /** Pipedrive's code, until it is traded. */
  sealed_code: string | null;
  /** What it was traded for, until a connection is made of it. */
  sealed_grant: string | null;
  /** Somebody is at it until then. */
  claimed_until: Date | null;
  attempts: number;
  /** When it led to a connection, or was given up. */
  finished_at: Date | null;
  connection_id: ConnectionId | null;
}

export interface OauthTables {
  oauth_state: OauthStateTable;
}

export type OauthState = OauthStateTable;
