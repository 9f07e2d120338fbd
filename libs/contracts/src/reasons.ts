import { z } from 'zod';

/** Why something was refused, skipped or parked. Stable: clients branch on them. */
export const ReasonCode = z.enum([
  // input
  'invalid_input',
  'duplicate_idempotency_key',
  'too_many_items',
  'unknown_field',
  'field_type_mismatch',
  'unknown_option',
  'required_target_missing',
  // identity
  'not_signed_in',
  'key_revoked',
  'key_of_one_workspace',
  'role_too_low',
  'workspace_not_chosen',
  'entitlement_missing',
  'record_not_found',
  'already_member',
  'last_owner',
  // connection
  'oauth_state_invalid',
  'oauth_denied',
  'oauth_code_invalid',
  'token_rejected',
  'scope_missing',
  'connection_missing',
  'connection_disabled',
  'connection_needs_reauth',
  'company_mismatch',
  'pipedrive_unreachable',
  'pipedrive_refused',
  'pipedrive_blocked',
  'budget_spent',
  'burst_limited',
  // writing
  'existing_record_left_alone',
  'nothing_to_change',
  'already_written',
  'previous_step_not_applied',
  'several_matches',
  'outcome_unknown',
  'record_gone',
  'superseded_by_newer',
  'cancelled_by_user',
  // referrals
  'campaign_not_open',
  'already_signed_up',
  'mapping_not_published',
  // sync
  'sync_already_running',
  'sync_not_running',
  'data_source_archived',
  'unknown_record_not_created',
  // the house
  'message_unreadable',
  'message_unknown',
  'handler_failed',
  'service_unavailable',
]);
export type ReasonCode = z.infer<typeof ReasonCode>;
