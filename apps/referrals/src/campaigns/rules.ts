import type { ConnectionId, FieldMappingId, ReasonCode } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import type { Campaign, MappingCopy } from '../store.ts';

/** The same answer for an id of another workspace as for one nobody has. */
export const absentCampaign = (id: string, field: string): Refusal =>
  new Refusal('not_found', `There is no campaign ${id}`, {
    reason: 'record_not_found',
    field,
    fix: 'Choose one of the campaigns the query campaigns lists.',
  });

/** What stands between a campaign and its first sign-up. */
export type LaunchDecision =
  | { outcome: 'open' }
  | { outcome: 'refuse'; because: string; reason: ReasonCode; fix: string };

type Launching = Pick<Campaign, 'connection_id' | 'mapping_id'>;

export function decideLaunch(
  { connection_id, mapping_id }: Launching,
  copy: Pick<MappingCopy, 'purpose' | 'connection_id'> | undefined,
): LaunchDecision {
  if (mapping_id === null) {
    return {
      outcome: 'refuse',
      because: 'the campaign has no mapping',
      reason: 'mapping_not_published',
      fix: 'Choose a published mapping of purpose REFERRALS_TO_PIPEDRIVE with saveCampaign.',
    };
  }
  if (copy === undefined) return notPublished(mapping_id);
  if (copy.purpose !== 'REFERRALS_TO_PIPEDRIVE') {
    return unfit('the mapping was made for another purpose than referrals');
  }
  if (copy.connection_id !== connection_id) return wrongConnection(connection_id);
  return { outcome: 'open' };
}

const notPublished = (id: FieldMappingId): LaunchDecision => ({
  outcome: 'refuse',
  because: `field mapping ${id} is not published`,
  reason: 'mapping_not_published',
  fix: 'Publish the mapping with publishFieldMapping, then launch again.',
});

const unfit = (because: string): LaunchDecision => ({
  outcome: 'refuse',
  because,
  reason: 'invalid_input',
  fix: 'Choose a mapping of purpose REFERRALS_TO_PIPEDRIVE for the connection of the campaign.',
});

const wrongConnection = (id: ConnectionId): LaunchDecision =>
  unfit(`the mapping belongs to another connection than ${id}`);
