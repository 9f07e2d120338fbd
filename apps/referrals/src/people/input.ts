import { CampaignId, FieldCode, ReferralUserId } from '@manifold/contracts';
import { boundedText, IdempotencyKey } from '@manifold/subgraph';
import { z } from 'zod';

const SignUpInput = z.object({
  campaignId: CampaignId,
  email: z.string().trim().pipe(z.email().max(254)),
  firstName: boundedText(255).trim().min(1),
  lastName: boundedText(255)
    .trim()
    .nullish()
    .transform((name) => name || null),
  attributes: z
    .array(z.object({ key: FieldCode, value: boundedText(5_000) }))
    .max(50)
    .nullish()
    .transform((attributes) => attributes ?? []),
  referredByCode: boundedText(64)
    .trim()
    .nullish()
    .transform((code) => code || null),
  isTest: z
    .boolean()
    .nullish()
    .transform((isTest) => isTest ?? false),
  idempotencyKey: IdempotencyKey,
});
export type SignUpInput = z.output<typeof SignUpInput>;

export const SignUpArguments = z.object({ input: SignUpInput });

const RetryInput = z.object({
  referralUserId: ReferralUserId,
  idempotencyKey: IdempotencyKey,
});
export type RetryInput = z.output<typeof RetryInput>;

export const RetryArguments = z.object({ input: RetryInput });
