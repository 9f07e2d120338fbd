import {
  CampaignId,
  CampaignSaved,
  DescribeConnection,
  type WorkspaceId,
} from '@manifold/contracts';
import { createOnce, newId, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { ask, type Origin, publish } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import { checkDefaults } from '../defaults/commands.ts';
import { checkMapping } from '../mappings/checking.ts';
import { fetchNewestMapping } from '../mappings/commands.ts';
import { findMappingCopy, insertMappingCopy } from '../mappings/store.ts';
import type { Campaign, Db, Defaults, NewMappingCopy, Tx } from '../store.ts';
import type { SaveInput } from './input.ts';
import { absentCampaign, decideLaunch } from './rules.ts';
import {
  findCampaign,
  insertCampaign,
  lockCampaign,
  setCampaign,
  setCampaignState,
} from './store.ts';

export interface Deps {
  db: Db;
  nats: NatsConnection;
  now: () => Date;
  /** What links begin with where the campaign does not say. */
  linkBase: string;
}

/** Makes a campaign or changes its settings; one that is open stays fit for sign-ups. */
export async function saveCampaign(
  deps: Deps,
  caller: Origin,
  input: SaveInput,
): Promise<CampaignId> {
  const { db, now } = deps;
  const { workspaceId } = caller;
  const { id, connectionId, mappingId: chosen } = input;
  const before = id ? await readCampaign(db, workspaceId, id) : undefined;
  if (connectionId !== before?.connection_id) {
    await ask(deps.nats, DescribeConnection, { workspaceId, connectionId });
  }
  const defaults = await checkDefaults(deps, workspaceId, { input, before });
  if (chosen) await checkMapping(deps, workspaceId, { connectionId, mappingId: chosen });
  const mappingId = chosen ?? before?.mapping_id;
  const copy =
    before?.state === 'OPEN' && mappingId
      ? await fetchNewestMapping(deps, { workspaceId, mappingId })
      : undefined;
  return withWorkspace(db, workspaceId, async (tx) => {
    const settings = { deps, input, defaults, copy };
    if (id) return changeCampaign(tx, caller, { ...settings, id });
    const made = await createOnce(
      tx,
      {
        workspaceId,
        operation: 'saveCampaign',
        key: input.idempotencyKey,
        input,
        now: now(),
        parseId: (text) => CampaignId.parse(text),
      },
      () => makeCampaign(tx, caller, settings),
    );
    return made.id;
  });
}

async function readCampaign(db: Db, workspaceId: WorkspaceId, id: CampaignId): Promise<Campaign> {
  const found = await withWorkspace(db, workspaceId, (tx) => findCampaign(tx, workspaceId, id));
  if (!found) throw absentCampaign(id, 'input.id');
  return found;
}

interface Settings {
  deps: Deps;
  input: SaveInput;
  defaults: Defaults;
  copy: NewMappingCopy | undefined;
}

async function makeCampaign(
  tx: Tx,
  caller: Origin,
  { deps, input, defaults }: Settings,
): Promise<CampaignId> {
  const now = deps.now();
  const id = newId('cp', CampaignId);
  await insertCampaign(tx, {
    workspace_id: caller.workspaceId,
    id,
    name: input.name,
    connection_id: input.connectionId,
    mapping_id: input.mappingId ?? null,
    outcome: 'LEAD',
    update_existing: input.updateExisting ?? false,
    defaults: JSON.stringify(defaults),
    form_fields: JSON.stringify(input.formFields ?? []),
    link_base: input.linkBase ?? deps.linkBase,
    state: 'DRAFT',
    created_at: now,
    updated_at: now,
  });
  await tellSaved(tx, caller, { id, state: 'DRAFT', now });
  return id;
}

async function changeCampaign(
  tx: Tx,
  caller: Origin,
  { deps, input, defaults, copy, id }: Settings & { id: CampaignId },
): Promise<CampaignId> {
  const now = deps.now();
  const before = await lockCampaign(tx, caller.workspaceId, id);
  if (!before) throw absentCampaign(id, 'input.id');
  const after = {
    ...before,
    name: input.name,
    connection_id: input.connectionId,
    mapping_id: input.mappingId ?? before.mapping_id,
    update_existing: input.updateExisting ?? before.update_existing,
    defaults: JSON.stringify(defaults),
    form_fields: JSON.stringify(input.formFields ?? before.form_fields),
    link_base: input.linkBase ?? before.link_base,
    updated_at: now,
  };
  if (before.state === 'OPEN') await refuseUnfit(tx, after, copy);
  await setCampaign(tx, after);
  await tellSaved(tx, caller, { id, state: before.state, now });
  return id;
}

/** Keeps the newest copy of the mapping and refuses when the campaign cannot run on it. */
async function refuseUnfit(
  tx: Tx,
  campaign: Pick<Campaign, 'workspace_id' | 'id' | 'connection_id' | 'mapping_id'>,
  newest: NewMappingCopy | undefined,
): Promise<void> {
  if (newest) await insertMappingCopy(tx, newest);
  const { workspace_id, mapping_id } = campaign;
  const copy = mapping_id ? await findMappingCopy(tx, workspace_id, mapping_id) : undefined;
  const decision = decideLaunch(campaign, copy);
  if (decision.outcome === 'open') return;
  const { because, reason, fix } = decision;
  throw new Refusal('precondition', `Campaign ${campaign.id} cannot be open: ${because}`, {
    reason,
    field: 'input.mappingId',
    fix,
  });
}

/** Opens a campaign for sign-ups; it needs a published mapping. One that is open stays as it is. */
export async function launchCampaign(deps: Deps, caller: Origin, id: CampaignId): Promise<void> {
  const { workspaceId } = caller;
  const found = await withWorkspace(deps.db, workspaceId, (tx) =>
    findCampaign(tx, workspaceId, id),
  );
  if (!found) throw absentCampaign(id, 'input.id');
  const mappingId = found.mapping_id;
  const newest = mappingId ? await fetchNewestMapping(deps, { workspaceId, mappingId }) : undefined;
  await withWorkspace(deps.db, workspaceId, async (tx) => {
    const campaign = await lockCampaign(tx, workspaceId, id);
    if (!campaign) throw absentCampaign(id, 'input.id');
    if (campaign.state === 'OPEN') return;
    await refuseUnfit(tx, campaign, newest);
    await changeState(tx, caller, { id, state: 'OPEN', now: deps.now() });
  });
}

/** Closes a campaign for sign-ups until it is launched again; deliveries under way go on. */
export async function pauseCampaign(deps: Deps, caller: Origin, id: CampaignId): Promise<void> {
  const { workspaceId } = caller;
  await withWorkspace(deps.db, workspaceId, async (tx) => {
    const campaign = await lockCampaign(tx, workspaceId, id);
    if (!campaign) throw absentCampaign(id, 'input.id');
    if (campaign.state === 'PAUSED') return;
    if (campaign.state === 'DRAFT') {
      throw new Refusal('precondition', `Campaign ${id} was never launched`, {
        reason: 'campaign_not_open',
        fix: 'Launch it with the mutation launchCampaign first.',
      });
    }
    await changeState(tx, caller, { id, state: 'PAUSED', now: deps.now() });
  });
}

type Change = { id: CampaignId; state: Campaign['state']; now: Date };

async function changeState(tx: Tx, caller: Origin, { id, state, now }: Change): Promise<void> {
  await setCampaignState(tx, { workspace_id: caller.workspaceId, id, state, updated_at: now });
  await tellSaved(tx, caller, { id, state, now });
}

async function tellSaved(tx: Tx, caller: Origin, { id, state, now }: Change): Promise<void> {
  const payload = { campaignId: id, state };
  await publish(tx, CampaignSaved, { origin: caller, key: id, payload, now });
}
