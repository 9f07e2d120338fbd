import type { UserId } from '@manifold/contracts';
import { Refusal, type RefusalKind } from '@manifold/errors';
import { refuseRole } from '../../accounts/ownership/rules.ts';
import type { OauthState } from '../tables.ts';

/** As long as Pipedrive accepts its own code; a little less, for the way there. */
export const CODE_LIVES_MS = 290_000;

/** Longer than trading a code and asking whose it is may take. */
export const CLAIM_MS = 60_000;

/** How long a replica that makes a connection others left is given, and the step between tries. */
export const PATIENCE_MS = 120_000;

/** After so many tries a grant that cannot be made a connection of is given up. */
export const MOST_ATTEMPTS = 8;

/** What is over by itself: Pipedrive out of reach, or its limits used up. */
export const isPassing = (kind: RefusalKind | undefined): boolean =>
  kind === 'unavailable' || kind === 'limited';

/** A limit ends within the day, and costs no more than waiting: it never makes a grant be given up. */
export const isHopelessAttempt = (attempts: number, kind: RefusalKind | undefined): boolean =>
  attempts >= MOST_ATTEMPTS && kind !== 'limited';

type Returned = Pick<
  OauthState,
  'user_id' | 'kind' | 'code_expires_at' | 'sealed_grant' | 'claimed_until' | 'finished_at'
>;

/**
 * Whether somebody may complete a consent now. A code of another person, of another workspace (which
 * is not found here) and one made up are answered alike: a stranger learns nothing of it.
 */
export function decideCompletion(
  returned: Returned | undefined,
  asker: { userId: UserId; byAdmin: boolean },
  now: Date,
): 'complete' | 'unknown' | 'role_too_low' | 'used' | 'expired' {
  if (returned === undefined || returned.user_id !== asker.userId) return 'unknown';
  if (returned.finished_at !== null) return 'used';
  if (returned.claimed_until !== null && returned.claimed_until > now) return 'used';
  const isOld = returned.code_expires_at === null || returned.code_expires_at <= now;
  // what was traded in time lives on
  if (isOld && returned.sealed_grant === null) return 'expired';
  return returned.kind === 'ORGANIZATION' && !asker.byAdmin ? 'role_too_low' : 'complete';
}

/** The refusal for what `decideCompletion` found. */
export function refuseCompletion(
  found: Exclude<ReturnType<typeof decideCompletion>, 'complete'>,
): Refusal {
  const field = 'input.code';
  switch (found) {
    case 'unknown':
      return new Refusal('invalid', 'There is no such code for you in this workspace', {
        reason: 'completion_code_unknown',
        field,
        fix: 'Only who began with beginConnection completes it, in the same workspace, within 5 minutes of consenting: begin yourself.',
      });
    case 'used':
      return new Refusal('conflict', 'This code was used before', {
        reason: 'completion_code_used',
        field,
        fix: 'Look for the connection among `connections`; when it is not there, begin again with beginConnection.',
      });
    case 'expired':
      return new Refusal('invalid', 'This code is too old', {
        reason: 'completion_code_expired',
        field,
        fix: 'Begin again with beginConnection: a consent has to be completed within 5 minutes.',
      });
    case 'role_too_low':
      return refuseRole();
  }
}
