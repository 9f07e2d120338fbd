import {
  DeliverySettled,
  ReasonCode,
  ReferralUserId,
  SubmitWrite,
  UserId,
  type WorkspaceId,
  WriteCommand,
} from '@manifold/contracts';
import {
  type OnRefused,
  type OnStored,
  type Origin,
  publish,
  sendCommand,
} from '@manifold/messaging';
import { findMappingCopy } from '../mappings/store.ts';
import { planDelivery } from '../steps/rules.ts';
import type { Campaign, ReferralUser, Tables, Tx } from '../store.ts';
import { attemptOf, type Delivery, hasSettled, keyOfAttempt, takeBack } from './rules.ts';
import { lockUser, setDelivery } from './store.ts';

interface Sending {
  user: ReferralUser;
  campaign: Campaign;
  /** Somebody has it sent by hand: it is written in their name (SL-13). A sign-up comes by itself (SL-11). */
  byHand?: boolean;
  now: Date;
}

/** Puts the command for Pipedrive beside the user, in the same transaction; or says why there is none. */
export async function sendDelivery(
  tx: Tx,
  caller: Origin,
  { user, campaign, byHand = false, now }: Sending,
): Promise<void> {
  const { workspace_id, id } = user;
  const copy = campaign.mapping_id
    ? await findMappingCopy(tx, workspace_id, campaign.mapping_id)
    : undefined;
  const plan = copy ? planDelivery(user, campaign, copy) : noMapping;
  const pinned = { mapping_id: copy?.mapping_id ?? null, mapping_version: copy?.version ?? null };
  if (plan.outcome === 'park') {
    const { reason, fix } = plan;
    const after = {
      ...user,
      delivery_state: 'PARKED',
      delivery_reason: reason,
      delivery_fix: fix,
    } as const;
    await settle(tx, caller, { before: user, after, now });
    await setDelivery(tx, { workspace_id, id, ...pinned });
    return;
  }
  const attempt = attemptOf(user);
  const { delivery_attempt: count } = attempt;
  await setDelivery(tx, {
    workspace_id,
    id,
    ...pinned,
    delivery_state: 'QUEUED',
    delivery_reason: null,
    delivery_fix: null,
    delivery_settled_at: null,
    ...attempt,
  });
  const question = {
    workspaceId: workspace_id,
    connectionId: campaign.connection_id,
    actor: caller.actor,
    correlationId: caller.correlationId,
    ...(byHand ? actingUserOf(caller) : {}),
    cause: { service: 'referrals', type: 'ReferralUser', id },
    lane: 'interactive' as const,
    ...keysOf(id, count),
    ...(copy ? { mapping: { id: copy.mapping_id, version: copy.version } } : {}),
    steps: plan.steps,
  };
  await sendCommand(tx, SubmitWrite, { workspaceId: workspace_id, key: id, question });
}

const actingUserOf = ({ actor: { kind, id } }: Origin): { actingUserId?: UserId } =>
  kind === 'user' ? { actingUserId: UserId.parse(id) } : {};

/** One attempt is one write request, however often it is sent, and takes the place of the one before. */
const keysOf = (id: ReferralUserId, attempt: number) => ({
  idempotencyKey: keyOfAttempt(id, attempt),
  ...(attempt > 1 ? { supersedes: keyOfAttempt(id, attempt - 1) } : {}),
});

const noMapping = {
  outcome: 'park',
  reason: 'mapping_not_published',
  fix: 'Choose a published mapping for the campaign, then use retryDelivery.',
} as const;

/** Writes down how far a delivery is, and tells of it when it has come to an end. */
export async function settle(
  tx: Tx,
  origin: Origin,
  { before, after, now }: { before: ReferralUser; after: Delivery; now: Date },
): Promise<void> {
  const { workspace_id, id, campaign_id } = before;
  const { delivery_state: outcome, delivery_reason: reason } = after;
  await setDelivery(tx, {
    workspace_id,
    id,
    delivery_state: outcome,
    delivery_reason: reason,
    delivery_fix: after.delivery_fix,
    delivery_settled_at: outcome === 'QUEUED' ? null : now,
    write_request_id: after.write_request_id,
    delivery_attempt: after.delivery_attempt,
    delivery_written: after.delivery_written,
    delivery_cancelled: after.delivery_cancelled,
    superseded_request_id: after.superseded_request_id,
    person_pipedrive_id: after.person_pipedrive_id,
    person_url: after.person_url,
    lead_pipedrive_id: after.lead_pipedrive_id,
    lead_url: after.lead_url,
  });
  if (outcome === 'QUEUED' || !hasSettled(before, after)) return;
  await publish(tx, DeliverySettled, {
    origin,
    key: id,
    payload: {
      referralUserId: id,
      campaignId: campaign_id,
      outcome,
      ...(reason ? { reason } : {}),
    },
    now,
  });
}

/** Applies what an event says about a user's delivery; events about anything else do nothing. */
export async function followDelivery(
  tx: Tx,
  event: {
    origin: Origin & { workspaceId: WorkspaceId };
    cause: { service: string; type: string; id: string };
    now: Date;
  },
  apply: (before: Delivery) => Delivery,
): Promise<void> {
  const { origin, cause, now } = event;
  if (cause.service !== 'referrals' || cause.type !== 'ReferralUser') return;
  const user = await lockUser(tx, origin.workspaceId, ReferralUserId.parse(cause.id));
  if (user) await settle(tx, origin, { before: user, after: apply(user), now });
}

/** Connections said no for good: the sign-up stays, parked with the reason. */
export const createOnRefused =
  ({ now }: { now: () => Date }): OnRefused<Tables> =>
  async (tx, { workspaceId, body }, refusal) => {
    const command = WriteCommand.parse(body);
    const user = await lockUser(tx, workspaceId, ReferralUserId.parse(command.cause.id));
    if (!user) return;
    const reason = ReasonCode.safeParse(refusal.detail.reason).data ?? 'handler_failed';
    const after = takeBack(user, { reason, fix: refusal.detail.fix });
    const { actor, correlationId } = command;
    const origin = { workspaceId, actor, correlationId };
    await settle(tx, origin, { before: user, after, now: now() });
  };

/** Connections took it: the sign-up shows its write request from now on. */
export const createOnStored =
  (): OnStored<Tables> =>
  async (tx, { workspaceId, body }, answer) => {
    const command = WriteCommand.parse(body);
    const { writeRequestId } = SubmitWrite.answer.parse(answer);
    const user = await lockUser(tx, workspaceId, ReferralUserId.parse(command.cause.id));
    if (!user || command.idempotencyKey !== keyOfAttempt(user.id, user.delivery_attempt)) return;
    await setDelivery(tx, {
      workspace_id: workspaceId,
      id: user.id,
      write_request_id: writeRequestId,
    });
  };
