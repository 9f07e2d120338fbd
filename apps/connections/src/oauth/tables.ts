import type { UserId, WorkspaceId } from '@manifold/contracts';

/** An authorization that was begun; its state comes back with the browser, once. */
export interface OauthStateTable {
  workspace_id: WorkspaceId;
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
}

export interface OauthTables {
  oauth_state: OauthStateTable;
}

export type OauthState = OauthStateTable;
