import type { ReasonCode } from '@manifold/contracts';

/** Why a row leads to no change, or not to all of it: everything the planner says, and what is seen as it is applied. */
export type RowReason = Extract<
  ReasonCode,
  | 'nothing_to_change'
  | 'existing_record_left_alone'
  | 'edited_since'
  | 'several_matches'
  | 'index_needed'
  | 'record_not_found'
  | 'record_gone'
  | 'record_drifted'
  | 'duplicate_in_change_set'
  | 'previous_step_not_applied'
  | 'unknown_field'
  | 'unknown_option'
  | 'field_type_mismatch'
  | 'required_target_missing'
  | 'irreversible'
  | 'undo_not_available'
  | 'plan_expired'
  | 'cancelled_by_user'
>;

/** What happened, and what a person can do about it. */
export interface Words {
  cause: string;
  fix: string;
}

const ANEW = 'Plan a new change set for this row if it is still wanted.';

/** A row can have words of its own that say more. */
export const rowWords: Readonly<Record<RowReason, Words>> = {
  nothing_to_change: {
    cause: 'The record already is as it should be.',
    fix: 'Nothing needs to be done.',
  },
  existing_record_left_alone: {
    cause: 'The record exists, and existing ones were to be left alone.',
    fix: 'Nothing needs to be done; to have it changed, ask for it with `existing` UPDATE or FILL_BLANKS.',
  },
  edited_since: {
    cause: 'Somebody has changed the fields in `keptKeys`, or the record, since; that is kept.',
    fix: 'Look at the record in Pipedrive, and change there what should be otherwise.',
  },
  several_matches: {
    cause: 'Several records in Pipedrive have this identity; they are listed in `candidates`.',
    fix: 'Say which one by its id: ask for the row anew with a PIPEDRIVE_ID from `candidates`, or merge them in Pipedrive first.',
  },
  index_needed: {
    cause: 'Pipedrive cannot be searched by this identity.',
    fix: 'Have an index of that field made and wait until it is complete, or name the record by its PIPEDRIVE_ID; then plan the row anew.',
  },
  record_not_found: {
    cause: 'No record in Pipedrive that the connection can see is the one meant.',
    fix: 'Correct the id or the identity; then plan the row anew.',
  },
  record_gone: {
    cause: 'The record is no longer in Pipedrive.',
    fix: 'Nothing needs to be done if it was to go; restore it in Pipedrive and plan the row anew if it was not.',
  },
  record_drifted: {
    cause: 'Somebody has changed or made the record since the plan, so it was left alone.',
    fix: ANEW,
  },
  duplicate_in_change_set: {
    cause: 'An earlier row of this change set is about the same record.',
    fix: 'Put what both rows want into one, or plan this row in a change set of its own afterwards.',
  },
  previous_step_not_applied: {
    cause:
      'It depends on an earlier step of the same write, which leads to no record or no change.',
    fix: 'See why the earlier step was left out, mend that, and plan both anew.',
  },
  unknown_field: {
    cause: 'Pipedrive does not have one of the fields.',
    fix: 'Refresh the fields of the connection, or leave the field out.',
  },
  unknown_option: {
    cause: 'One of the fields does not have the option given.',
    fix: 'Use an id that `pipedriveFields` lists among the options of the field.',
  },
  field_type_mismatch: {
    cause: 'The value of one of the fields is not of the type the field takes.',
    fix: 'See the type of the field in `pipedriveFields`, and give a value that fits.',
  },
  required_target_missing: {
    cause: 'There is no such record, and a new one lacks a field Pipedrive needs.',
    fix: 'Give its name or title, and what it belongs to, or use the operation UPDATE if no record is to be made.',
  },
  irreversible: {
    cause: 'Pipedrive has no way to take this back.',
    fix: 'Mend it by hand in Pipedrive, where deleted records can be restored for 30 days.',
  },
  undo_not_available: {
    cause: 'The values from before are not kept any longer.',
    fix: 'Change the record by hand in Pipedrive.',
  },
  plan_expired: {
    cause: 'The values of the plan are not kept any longer.',
    fix: ANEW,
  },
  cancelled_by_user: {
    cause: 'Somebody stopped it.',
    fix: ANEW,
  },
};

/** An id nobody has makes no record, whatever the operation; an identity nobody has does with UPSERT. */
export const noRecord = (by: 'id' | 'identity'): Partial<Words> => ({
  fix:
    by === 'id'
      ? 'Correct the PIPEDRIVE_ID; to have a new record made leave it out, and use the operation UPSERT or CREATE. Then plan the row anew.'
      : 'Correct the identity, or use the operation UPSERT to have a record made; then plan the row anew.',
});

/** A row that is to be found by a field Pipedrive does not have. */
export const noSuchField = (code: string): Words => ({
  cause: `Pipedrive has no field ${code}, by which the record was to be found.`,
  fix: 'Give the code of a field that `pipedriveFields` lists, or refresh the fields of the connection; then plan the row anew.',
});

const isRowReason = (reason: ReasonCode): reason is RowReason => reason in rowWords;

/** The words of a row: its own where it has some, else those of its reason. */
export function wordsOf(row: {
  reason: ReasonCode | null;
  cause: string | null;
  fix: string | null;
}): { cause: string | null; fix: string | null } {
  const { reason, cause, fix } = row;
  const known = reason !== null && isRowReason(reason) ? rowWords[reason] : undefined;
  return { cause: cause ?? known?.cause ?? null, fix: fix ?? known?.fix ?? null };
}

/** How a row comes to rest that leads to no change: what a person has to sort out is parked. */
export function restOf(reason: ReasonCode | null): 'no_change' | 'parked' | 'skipped' {
  if (reason === 'nothing_to_change') return 'no_change';
  return reason === 'several_matches' ? 'parked' : 'skipped';
}
