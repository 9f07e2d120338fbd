import { z } from 'zod';
import { openEnum } from './open-enum.ts';

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
  'app_removed',
  'user_deactivated',
  'administrator_required',
  'terms_not_accepted',
  'scope_missing',
  'connection_missing',
  'connection_disabled',
  'connection_needs_reauth',
  'company_mismatch',
  'webhook_unknown',
  'not_tracked',
  'verification_needed',
  'pipedrive_unreachable',
  'pipedrive_refused',
  'pipedrive_blocked',
  'budget_spent',
  'burst_limited',
  'connection_of_another_user',
  'field_limit_reached',
  'field_name_taken',
  // writing
  'existing_record_left_alone',
  'nothing_to_change',
  'already_written',
  'previous_step_not_applied',
  'several_matches',
  'index_needed',
  'outcome_unknown',
  'record_gone',
  'superseded_by_newer',
  'cancelled_by_user',
  // change sets
  'change_set_not_open',
  'change_set_not_ready',
  'approval_required',
  'canary_finished',
  'plan_changed',
  'plan_expired',
  'too_many_records',
  'too_large_a_part',
  'deletes_not_allowed',
  'merges_not_allowed',
  'duplicate_in_change_set',
  'record_drifted',
  'edited_since',
  'irreversible',
  'undo_not_available',
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
  // a later release said it in an event, and this one does not know it
  'unknown_reason',
]);
export type ReasonCode = z.infer<typeof ReasonCode>;

/** The reason in an event, which may be of a later release than its reader. */
export const EventReason = openEnum(ReasonCode, 'unknown_reason');
