import type { FieldDefinition, PipedriveObject, ReasonCode } from '@manifold/contracts';
import type { Failure } from '@manifold/pipedrive';

/** The objects that can carry an external id: those with custom fields of their own. */
export const EXTERNAL_ID_OBJECTS = ['person', 'organization', 'deal', 'product'] as const;
export type ExternalIdObject = (typeof EXTERNAL_ID_OBJECTS)[number];

export const isExternalIdObject = (object: PipedriveObject): object is ExternalIdObject =>
  EXTERNAL_ID_OBJECTS.some((known) => known === object);

/** What people see in Pipedrive. */
export const EXTERNAL_ID_NAME = 'Manifold id';

/** How long one replica may take to make a field; also how long a field of unknown end is waited for. */
export const MAKING_MS = 60_000;
/** Pipedrive's no is not asked for again before. */
const ASK_AGAIN_MS = 24 * 3_600_000;

export type FieldDecision =
  | { outcome: 'use'; code: string }
  /** Nobody agreed, or Pipedrive said no: records are written without it. */
  | { outcome: 'without' }
  | { outcome: 'make' };

export function decideField(
  field: { field_code: string | null; ask_again_at: Date | null } | undefined,
  now: Date,
): FieldDecision {
  if (field === undefined) return { outcome: 'without' };
  if (field.field_code !== null) return { outcome: 'use', code: field.field_code };
  const isRefused = field.ask_again_at !== null && now < field.ask_again_at;
  return isRefused ? { outcome: 'without' } : { outcome: 'make' };
}

/** The field as somebody of ours made it before: same name, same type. */
export const findOwnField = (fields: readonly FieldDefinition[]): FieldDefinition | undefined =>
  fields.find(
    ({ custom, type, name }) => custom && type === 'varchar' && name === EXTERNAL_ID_NAME,
  );

/** What a failure means for the field: a no for a day, or something to try again with the next create. */
export function decideFailure(
  failure: Failure,
  now: Date,
): { outcome: 'no'; reason: ReasonCode; askAgainAt: Date } | { outcome: 'later' } {
  const askAgainAt = new Date(now.getTime() + ASK_AGAIN_MS);
  switch (failure.outcome) {
    case 'refused': {
      const isCap = failure.status === 403 && failure.code?.startsWith('feature_capping') === true;
      const reason = isCap ? 'field_limit_reached' : 'pipedrive_refused';
      return { outcome: 'no', reason, askAgainAt };
    }
    case 'scope_missing':
      return { outcome: 'no', reason: 'scope_missing', askAgainAt };
    case 'unauthorized':
    case 'limited':
    case 'blocked':
    case 'not_sent':
    case 'unknown':
    case 'unavailable':
      return { outcome: 'later' };
  }
}

/** Whether a field may have been made although no answer came: then nobody else makes one for a while. */
export const isOpen = ({ outcome }: Failure): boolean => outcome === 'unknown';
