import { z } from 'zod';
import { defineEvent } from './event.ts';
import { CampaignId, ReferralUserId } from './ids.ts';
import type { VariableType } from './mappings.ts';
import { eventEnum } from './open-enum.ts';
import { EventReason } from './reasons.ts';

/**
 * What a mapping can take from any sign-up, beside the fields of the campaign's form. The keys are
 * the field codes of rows whose source is `referral`.
 */
export const referralFields = {
  first_name: { label: 'Referrer first name', type: 'text' },
  last_name: { label: 'Referrer last name', type: 'text' },
  email: { label: 'Referrer e-mail', type: 'email' },
  campaign_name: { label: 'Campaign name', type: 'text' },
  referral_link: { label: 'Referral link', type: 'text' },
  referral_code: { label: 'Referral code', type: 'text' },
  referral_count: { label: 'Referral count', type: 'number' },
  converted_count: { label: 'Converted referral count', type: 'number' },
  source: { label: 'Source', type: 'text' },
} as const satisfies Record<string, { label: string; type: VariableType }>;

export const CampaignSaved = defineEvent(
  'referrals.campaign_saved.v1',
  z.object({ campaignId: CampaignId, state: eventEnum(z.enum(['DRAFT', 'OPEN', 'PAUSED'])) }),
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
    outcome: eventEnum(z.enum(['DELIVERED', 'SKIPPED', 'PARKED'])),
    reason: EventReason.optional(),
  }),
  ({ referralUserId, outcome, reason }) => ({
    target: { type: 'ReferralUser', id: referralUserId },
    outcome: deliveryOutcomes[outcome],
    reason,
  }),
);

const deliveryOutcomes = {
  DELIVERED: 'succeeded',
  SKIPPED: 'skipped',
  PARKED: 'parked',
  unknown: 'unknown',
} as const;
