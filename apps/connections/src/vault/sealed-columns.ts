import type { SealedColumn } from './store.ts';

const columns: Readonly<Record<string, readonly string[]>> = {
  connection: ['access_token', 'webhook_path', 'webhook_password'],
  oauth_state: ['sealed_code', 'sealed_grant'],
  webhook_health: ['previous_password'],
  webhook_receipt: ['body', 'record'],
  write_step: ['sealed_body', 'sealed_sent', 'sealed_before', 'sealed_after'],
  overwrite: ['sealed_values'],
  change: ['sealed_before', 'sealed_after'],
};

/** Every column that holds sealed texts of a workspace, in tables known by `workspace_id` and `id`. */
export const sealedColumns: readonly SealedColumn[] = Object.entries(columns).flatMap(
  ([table, names]) => names.map((column) => ({ table, column })),
);
