import { z } from 'zod';
import { defineEvent } from './event.ts';
import { CampaignId, ReferralUserId } from './ids.ts';
import { ReasonCode } from './reasons.ts';

export const CampaignSaved = defineEvent(
  'referrals.campaign_saved.v1',
  z.object({ campaignId: CampaignId, state: z.enum(['DRAFT', 'OPEN', 'PAUSED']) }),
  ({ campaignId }) => ({ target: { type: 'Campaign', id: campaignId }, outcome: 'succeeded' }),
);

export const UserSignedUp = defineEvent(
  'referrals.user_signed_up.v1',
  z.object({ referralUserId: ReferralUserId, campaignId: CampaignId, isTest: z.boolean() }),
  ({ referralUserId }) => ({
    target: { type: 'ReferralUser', id: referralUserId },
    outcome: 'succeeded',
  }),
);

/** The sign-up reached Pipedrive, or it is known why it did not. */
export const DeliverySettled = defineEvent(
  'referrals.delivery_settled.v1',
  z.object({
    referralUserId: ReferralUserId,
    campaignId: CampaignId,
    outcome: z.enum(['DELIVERED', 'SKIPPED', 'PARKED']),
    reason: ReasonCode.optional(),
  }),
  ({ referralUserId, outcome, reason }) => ({
    target: { type: 'ReferralUser', id: referralUserId },
    outcome: outcome === 'DELIVERED' ? 'succeeded' : outcome === 'SKIPPED' ? 'skipped' : 'parked',
    reason,
  }),
);
