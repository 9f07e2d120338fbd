import type { ReasonCode } from '@manifold/contracts';

const ofRequest: Partial<Record<ReasonCode, string>> = {
  several_matches: 'Merge the persons with this e-mail in Pipedrive',
  index_needed: 'Have an index of the field made that records are found by, with trackRecords',
  record_gone: 'Restore the record in Pipedrive',
  handler_failed: 'Look for the parked step in the log of the connections service',
  outcome_unknown: 'Look in Pipedrive whether the record is there',
  scope_missing: 'Give the app the missing scope and connect again',
  connection_needs_reauth: 'Connect Pipedrive again',
  token_rejected: 'Connect Pipedrive again',
};

/** The way out of a parked delivery, as one sentence. */
export function fixOf(reason: ReasonCode | undefined, isWritten: boolean): string {
  const known = reason && ofRequest[reason];
  if (known) return `${known}, then redrive its parked step.`;
  return isWritten
    ? 'See the cause at the write request, then redrive its parked step.'
    : 'See the cause at the write request, correct the mapping or the campaign, then use retryDelivery.';
}

const ofRefusal: Partial<Record<ReasonCode, string>> = {
  connection_missing:
    'The connection of the campaign was removed: choose another one, and a mapping made for it, with saveCampaign.',
  connection_disabled: 'Switch the connection on with enableConnection.',
  connection_needs_reauth: 'Connect Pipedrive again with beginConnection.',
  scope_missing: 'Give the app the missing scope and connect again with beginConnection.',
};
const OTHERWISE = 'Correct the mapping or the campaign as the reason says.';

const MAX_FIX = 500;

/** The way out of a delivery that connections refused to take. */
export function fixOfRefused(reason: ReasonCode, fix: string | undefined): string {
  const told = (ofRefusal[reason] ?? fix ?? OTHERWISE).slice(0, MAX_FIX);
  // an earlier request goes on where it stands
  const goesOn = reason === 'already_written' || reason === 'outcome_unknown';
  return goesOn ? told : `${told} Then use retryDelivery.`;
}
