import { Refusal } from '@manifold/errors';
import type { Connection } from '../tables.ts';

/** A connection for a whole workspace needs a user who sees everything, unless somebody accepts less. */
export const seesEnough = (asked: {
  kind: Connection['kind'];
  isAdmin: boolean;
  accepts: boolean;
}): boolean => asked.kind === 'PERSONAL' || asked.isAdmin || asked.accepts;

/** The refusal for a user who is no administrator of the company; who consented has to begin again. */
export function refuseLimitedUser(method: Connection['method']): Refusal {
  const isConsent = method === 'OAUTH';
  const accept = isConsent
    ? 'begin again with beginConnection and acceptLimitedVisibility'
    : 'set acceptLimitedVisibility';
  return new Refusal('precondition', 'This user of Pipedrive does not administer the company', {
    reason: 'administrator_required',
    field: isConsent ? 'input.code' : 'input.acceptLimitedVisibility',
    fix: `Connect an administrator, best a user made for Manifold alone, or ${accept}: records this user cannot see are then left out, and webhooks may be refused.`,
  });
}

/** The refusal for an API token that would silently take the place of a consent. */
export const refuseReplacing = (): Refusal =>
  new Refusal('precondition', 'This user of Pipedrive is connected by consent (OAuth)', {
    reason: 'connected_by_oauth',
    field: 'input.replace',
    fix: 'Set replace to use the API token from now on and give the consent back; or leave the connection as it is.',
  });

/** The operator's terms, which whoever connects accepts. */
export interface Terms {
  version: string;
  url: string;
}

/** Refuses to connect before the terms shown now are accepted. */
export function requireTerms(terms: Terms | undefined, accepted: string | undefined): void {
  if (terms === undefined || accepted === terms.version) return;
  throw new Refusal('precondition', 'The terms of this installation were not accepted', {
    reason: 'terms_not_accepted',
    field: 'input.acceptTerms',
    fix: `Show ${terms.url} and send its version, ${terms.version}, as acceptTerms.`,
  });
}
