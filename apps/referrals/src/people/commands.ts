import { randomInt } from 'node:crypto';
import { ReferralUserId, UserSignedUp } from '@manifold/contracts';
import { createOnce, newId, withWorkspace } from '@manifold/database';
import { Refusal, type RefusalDetail } from '@manifold/errors';
import { type Origin, publish } from '@manifold/messaging';
import { absentCampaign } from '../campaigns/rules.ts';
import { findCampaign } from '../campaigns/store.ts';
import { sendDelivery } from '../deliveries/commands.ts';
import type { Campaign, Db, ReferralUser, Tx } from '../store.ts';
import type { SignUpInput } from './input.ts';
import { checkForm, emailKeyOf, type FormIssue, linkOf } from './rules.ts';
import {
  findUserByCode,
  findUserByEmail,
  insertUser,
  listUsersByIds,
  setReferralCounted,
} from './store.ts';

interface SignUp {
  id: ReferralUserId;
  created: boolean;
}

/**
 * Stores a sign-up and what is to be sent, in one transaction: no failure of Pipedrive or of another
 * service loses it (RF-31). The same e-mail again is the same user (RF-26).
 */
export async function signUp(
  deps: { db: Db; now: () => Date },
  caller: Origin,
  input: SignUpInput,
): Promise<SignUp> {
  const { workspaceId } = caller;
  const key = input.idempotencyKey;
  return withWorkspace(deps.db, workspaceId, async (tx) => {
    const now = deps.now();
    let made: SignUp | undefined;
    const { id } = await createOnce(
      tx,
      {
        workspaceId,
        operation: 'signUp',
        key,
        input,
        now,
        parseId: (text) => ReferralUserId.parse(text),
      },
      async () => {
        made = await signUpOnce(tx, caller, { input, now });
        return made.id;
      },
    );
    if (made) return made;
    // a repeat gives the first answer, `created` included
    const [user] = await listUsersByIds(tx, workspaceId, [id]);
    return { id, created: user?.signup_key === key };
  });
}

async function signUpOnce(
  tx: Tx,
  caller: Origin,
  { input, now }: { input: SignUpInput; now: Date },
): Promise<SignUp> {
  const { workspaceId } = caller;
  const campaign = await findCampaign(tx, workspaceId, input.campaignId);
  if (!campaign) throw absentCampaign(input.campaignId, 'input.campaignId');
  refuseClosed(campaign);
  const already = { campaignId: campaign.id, emailKey: emailKeyOf(input.email) };
  const existing = await findUserByEmail(tx, workspaceId, already);
  if (existing) return { id: existing.id, created: false };
  refuseForm(checkForm(campaign.form_fields, input.attributes));
  const user = userOf(campaign, {
    input,
    now,
    referrer: await findReferrer(tx, campaign, input.referredByCode),
  });
  const inserted = await insertUser(tx, { ...user, attributes: JSON.stringify(user.attributes) });
  if (!inserted) {
    // signed up a moment ago, in another transaction
    const other = await findUserByEmail(tx, workspaceId, already);
    if (!other) throw new Error('a user that blocks an insert cannot be found');
    return { id: other.id, created: false };
  }
  if (user.referred_by) await setReferralCounted(tx, workspaceId, user.referred_by);
  await publish(tx, UserSignedUp, {
    origin: caller,
    key: user.id,
    payload: { referralUserId: user.id, campaignId: campaign.id, isTest: user.is_test },
    now,
  });
  await sendDelivery(tx, caller, { user, campaign, now });
  return { id: user.id, created: true };
}

function refuseClosed(campaign: Campaign): void {
  if (campaign.state === 'OPEN') return;
  throw new Refusal('precondition', `Campaign ${campaign.id} takes no sign-ups`, {
    reason: 'campaign_not_open',
    field: 'input.campaignId',
    fix: 'Open it with the mutation launchCampaign.',
  });
}

function refuseForm(issues: readonly FormIssue[]): void {
  const [first] = issues;
  if (first === undefined) return;
  const detail: RefusalDetail & { issues: readonly FormIssue[] } = {
    reason: first.code,
    field: first.field,
    fix: first.fix,
    issues,
  };
  const causes = issues.slice(0, 5).map(({ message }) => message);
  throw new Refusal('invalid', causes.join(' '), detail);
}

async function findReferrer(
  tx: Tx,
  campaign: Campaign,
  code: string | null,
): Promise<ReferralUserId | null> {
  if (code === null) return null;
  const of = { campaignId: campaign.id, code };
  const referrer = await findUserByCode(tx, campaign.workspace_id, of);
  if (referrer) return referrer.id;
  throw new Refusal('invalid', 'Nobody in this campaign has this referral code', {
    reason: 'invalid_input',
    field: 'input.referredByCode',
    fix: 'Leave the code out, or take it from a link of this campaign.',
  });
}

function userOf(
  campaign: Campaign,
  of: { input: SignUpInput; now: Date; referrer: ReferralUserId | null },
): ReferralUser {
  const { input, now, referrer } = of;
  const code = newCode();
  return {
    workspace_id: campaign.workspace_id,
    id: newId('ru', ReferralUserId),
    campaign_id: campaign.id,
    email: input.email,
    email_key: emailKeyOf(input.email),
    first_name: input.firstName,
    last_name: input.lastName,
    attributes: Object.fromEntries(input.attributes.map(({ key, value }) => [key, value])),
    code,
    link: linkOf(campaign.link_base, code),
    referred_by: referrer,
    referral_count: 0,
    is_test: input.isTest,
    signup_key: input.idempotencyKey ?? null,
    signed_up_at: now,
    ...notDelivered,
  };
}

const notDelivered = {
  delivery_state: 'QUEUED',
  delivery_reason: null,
  delivery_fix: null,
  delivery_settled_at: null,
  write_request_id: null,
  delivery_attempt: 1,
  delivery_written: false,
  delivery_cancelled: false,
  superseded_request_id: null,
  mapping_id: null,
  mapping_version: null,
  person_pipedrive_id: null,
  person_url: null,
  lead_pipedrive_id: null,
  lead_url: null,
} as const;

const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz';
const CODE_LENGTH = 10;

/** Nothing that is read for something else, and too many to guess or to meet twice. */
const newCode = (): string =>
  Array.from({ length: CODE_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
