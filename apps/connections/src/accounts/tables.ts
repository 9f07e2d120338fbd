import type {
  ConnectionId,
  ConnectionStatus,
  ReasonCode,
  UserId,
  WorkspaceId,
} from '@manifold/contracts';

/** One credential for one Pipedrive company, held by one workspace. Tokens and secrets are sealed. */
export interface ConnectionTable {
  workspace_id: WorkspaceId;
  id: ConnectionId;
  /** Who connected it. */
  user_id: UserId;
  kind: 'ORGANIZATION' | 'PERSONAL';
  method: 'OAUTH' | 'API_TOKEN';
  status: ConnectionStatus;
  status_reason: ReasonCode | null;
  company_id: string;
  company_name: string;
  company_domain: string;
  /** Origin that is called, and where the company's web application lives. */
  api_domain: string;
  pipedrive_user_id: string;
  is_admin: boolean;
  scopes: string[];
  /** The API token, sealed; null for OAuth. */
  access_token: string | null;
  /** Grows with every API token stored. */
  token_version: number;
  /** Where the tokens of an OAuth connection are; null for an API token. */
  grant_id: string | null;
  /** The registered app it was made with; null for an API token. */
  app_name: string | null;
  /** Whoever connected it knows that its user is no administrator and sees less. */
  accepts_limited_visibility: boolean;
  /** Who switched it off; null while it is on, and where an earlier release did not keep it. */
  disabled_by: UserId | null;
  /** When its credential was found not to work; null while it works. */
  broken_since: Date | null;
  webhook_state: 'PENDING' | 'ACTIVE' | 'FAILED';
  webhook_id: string | null;
  webhook_path: string;
  /** Keyed hash of the path, to find the connection of a delivery. */
  webhook_path_hash: string;
  webhook_password: string;
  /** The newest grant replaced an earlier one. */
  is_renewal: boolean;
  /** When `connection_established` was published for the newest grant; null while it is set up. */
  established_at: Date | null;
  /** When webhook and catalogue are looked after next; a lease while that is being done. */
  upkeep_at: Date;
  /** Of the request that connected it, for the events that follow. */
  correlation_id: string;
  created_at: Date;
  updated_at: Date;
}

/** What a user of a company granted an app; every workspace that connects that user shares it. */
export interface GrantTable {
  id: string;
  client_id: string;
  company_id: string;
  pipedrive_user_id: string;
  api_domain: string;
  scopes: string[];
  /** Sealed for the installation; null once Pipedrive did not renew it any more. */
  access_token: string | null;
  /** Sealed too, and kept to be tried again; null once the app was removed. */
  refresh_token: string | null;
  expires_at: Date;
  /** At 80 % of the token's life. */
  refresh_at: Date;
  /** Grows with every token stored. */
  token_version: number;
  created_at: Date;
  renewed_at: Date;
  /** When it is given back to Pipedrive, no connection using it any more; null while one does. */
  release_at: Date | null;
}

/** What a person consented to by connecting; kept when the connection is gone. */
export interface ConsentTable {
  workspace_id: WorkspaceId;
  connection_id: ConnectionId;
  accepted_at: Date;
  user_id: UserId;
  app_name: string | null;
  scopes: string[];
  /** The operator's terms that were accepted; null when none were shown. */
  terms_version: string | null;
}

/** A personal connection its owner removed while it was switched off by somebody else. */
export interface SwitchedOffTable {
  workspace_id: WorkspaceId;
  company_id: string;
  pipedrive_user_id: string;
  /** Whose it was. */
  user_id: UserId;
  disabled_by: UserId | null;
  removed_at: Date;
}

export interface AccountTables {
  connection: ConnectionTable;
  pipedrive_grant: GrantTable;
  consent: ConsentTable;
  switched_off: SwitchedOffTable;
}

export type Connection = ConnectionTable;
export type StoredGrant = GrantTable;
export type Consent = ConsentTable;
export type SwitchedOff = SwitchedOffTable;
