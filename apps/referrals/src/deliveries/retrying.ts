import { type CampaignId, ReferralUserId, type WorkspaceId } from '@manifold/contracts';
import { createOnce, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Origin } from '@manifold/messaging';
import { findCampaign } from '../campaigns/store.ts';
import type { Campaign, Db, Tx } from '../store.ts';
import { sendDelivery } from './commands.ts';
import { decideRetry } from './rules.ts';
import { lockUser } from './store.ts';

/** Sends a refused delivery again, with the mapping and settings of today. Safe to ask twice. */
export async function retryDelivery(
  deps: { db: Db; now: () => Date },
  caller: Origin,
  input: { referralUserId: ReferralUserId; idempotencyKey?: string | undefined },
): Promise<void> {
  const { workspaceId } = caller;
  const { referralUserId: id } = input;
  await withWorkspace(deps.db, workspaceId, async (tx) => {
    const now = deps.now();
    await createOnce(
      tx,
      {
        workspaceId,
        operation: 'retryDelivery',
        key: input.idempotencyKey,
        input,
        now,
        parseId: (text) => ReferralUserId.parse(text),
      },
      async () => {
        await retryOnce(tx, caller, { id, now });
        return id;
      },
    );
  });
}

async function retryOnce(
  tx: Tx,
  caller: Origin,
  { id, now }: { id: ReferralUserId; now: Date },
): Promise<void> {
  const user = await lockUser(tx, caller.workspaceId, id);
  if (!user) throw absentUser(id);
  const decision = decideRetry(user);
  switch (decision.outcome) {
    case 'nothing_to_do':
      return;
    case 'refuse':
      throw new Refusal(
        'precondition',
        `Delivery of ${id} is not sent again: ${decision.because}`,
        {
          reason: user.delivery_reason ?? 'pipedrive_refused',
          field: 'input.referralUserId',
          fix: decision.fix,
        },
      );
    case 'send': {
      const campaign = await campaignOf(tx, user.workspace_id, user.campaign_id);
      await sendDelivery(tx, caller, { user, campaign, byHand: true, now });
    }
  }
}

async function campaignOf(tx: Tx, workspaceId: WorkspaceId, id: CampaignId): Promise<Campaign> {
  const campaign = await findCampaign(tx, workspaceId, id);
  if (!campaign) throw new Error(`campaign ${id} of a user is gone`);
  return campaign;
}

const absentUser = (id: string): Refusal =>
  new Refusal('not_found', `There is no referral user ${id}`, {
    reason: 'record_not_found',
    field: 'input.referralUserId',
    fix: 'Choose one of the users the query referralUsers lists.',
  });
