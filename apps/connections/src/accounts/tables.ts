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
  /** OAuth access token or API token, sealed; null once the grant is known to be gone. */
  access_token: string | null;
  refresh_token: string | null;
  expires_at: Date | null;
  /** At 80 % of the token's life. */
  refresh_at: Date | null;
  /** Grows with every token stored. */
  token_version: number;
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

export interface AccountTables {
  connection: ConnectionTable;
}

export type Connection = ConnectionTable;
