import type {
  ApiKeyId,
  EntitlementName,
  MemberId,
  Role,
  UserId,
  WorkspaceId,
} from '@manifold/contracts';
import type { IdempotencyTables } from '@manifold/database';
import type { MessagingTables } from '@manifold/messaging';
import type { Kysely, Selectable, Transaction } from 'kysely';

interface WorkspaceTable {
  workspace_id: WorkspaceId;
  name: string;
  created_at: Date;
}

/** A person, once for all workspaces; seen only from workspaces where the person is a member. */
interface UserTable {
  id: UserId;
  /** Lower case. */
  email: string;
  created_at: Date;
}

interface MemberTable {
  workspace_id: WorkspaceId;
  id: MemberId;
  user_id: UserId;
  /** As this workspace calls the person; other workspaces have their own. */
  name: string;
  role: Role;
  created_at: Date;
}

export type KeyReach = 'user' | 'workspace';

interface ApiKeyTable {
  workspace_id: WorkspaceId;
  id: ApiKeyId;
  user_id: UserId;
  name: string;
  /** SHA-256 of the key, hex; the key itself is kept nowhere. */
  key_hash: string;
  /** First characters of the key, to recognise it by. */
  prefix: string;
  created_by: UserId;
  /** Whether it opens all workspaces of its user, or only its own. */
  reach: KeyReach;
  created_at: Date;
  revoked_at: Date | null;
  last_used_at: Date | null;
}

/** No row means on. */
interface EntitlementTable {
  workspace_id: WorkspaceId;
  name: EntitlementName;
  enabled: boolean;
  changed_at: Date;
}

export interface Tables extends MessagingTables, IdempotencyTables {
  workspace: WorkspaceTable;
  app_user: UserTable;
  member: MemberTable;
  api_key: ApiKeyTable;
  entitlement: EntitlementTable;
}

/** A transaction is also a `Db`, so every store function composes into one. */
export type Db = Kysely<Tables>;
/** What publishing needs: proof that a transaction is open. */
export type Tx = Transaction<Tables>;
export type Workspace = Selectable<WorkspaceTable>;
export type User = Selectable<UserTable>;
export type Member = Selectable<MemberTable>;
export type ApiKey = Selectable<ApiKeyTable>;
