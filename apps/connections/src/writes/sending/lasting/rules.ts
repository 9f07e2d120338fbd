import type { ReasonCode } from '@manifold/contracts';

/** Reads that go on failing although Pipedrive can be reached. */
export const lastingCauses: Record<string, { reason: ReasonCode; cause: string; fix: string }> = {
  answer_unreadable: {
    reason: 'pipedrive_unreachable',
    cause: 'Pipedrive answers, but not in the form its documentation describes.',
    fix: 'Look at the record in Pipedrive, and for a newer version of this service; then use redrive.',
  },
  too_many_hits: {
    reason: 'index_needed',
    cause: 'A search for one of the keys finds more records than can be looked through.',
    fix: 'Use another key, or have the key indexed; then use redrive.',
  },
  index_reader_sees_less: {
    reason: 'index_needed',
    cause: 'The connection that keeps the index does not see all records.',
    fix: 'Connect as an administrator who sees all records; then use redrive.',
  },
};
