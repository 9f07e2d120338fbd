import type { PipedriveRecord } from '@manifold/contracts';
import { type Incoming, mergeEntities } from '../entities/commands.ts';
import { type EntityPlan, isTaken } from '../entities/rules.ts';
import {
  type Applying,
  type Arriving,
  type Claim,
  claimLinks,
  mapRecords,
  newEntityId,
  scopeOf,
  stateOf,
} from '../links/commands.ts';
import { isNewer, newestOfEach } from '../links/rules.ts';
import { deleteLinks, linkAwaiting, lockOrganizations, updateLinks } from '../links/store.ts';
import type { RecordLink, Tx } from '../store.ts';

/** What became of one record. */
export interface Applied {
  pipedriveId: string;
  outcome: EntityPlan['outcome'];
  reason?: NonNullable<EntityPlan['reason']> | 'superseded_by_newer';
  /** The contact or account; absent when the record was skipped. */
  entityId?: string;
  changedKeys: string[];
  /** Why values were reduced or left out on the way. */
  losses: string[];
}

/**
 * Stores records of one source and object: each at most once, only where it is newer than what is
 * there, under the mapping's policy. Records must exist in Pipedrive; departed ones are removed.
 */
export async function applyRecords(
  tx: Tx,
  applying: Applying,
  records: readonly PipedriveRecord[],
): Promise<Applied[]> {
  const newest = newestOfEach(records);
  if (newest.length === 0) return [];
  await lockOrganizations(tx, scopeOf(applying));
  const arriving = await mapRecords(tx, applying, newest);
  const claims = await claimLinks(tx, applying, arriving);
  const due = arriving.flatMap((one) => dueOf(applying, one, claims.get(one.pipedriveId)));
  const settled = await mergeDue(tx, applying, due);
  await settleLinks(tx, applying, settled);
  const applied = new Map(settled.map((one) => [one.pipedriveId, appliedOf(one)]));
  return newest.map(({ id }) => applied.get(id) ?? outdated(id));
}

const appliedOf = ({ pipedriveId, entityId, mapped, plan }: Settled): Applied => ({
  pipedriveId,
  outcome: plan.outcome,
  changedKeys: plan.changedKeys,
  losses: mapped.losses.map(({ reason }) => reason),
  ...(plan.reason ? { reason: plan.reason } : {}),
  ...(plan.outcome === 'skipped' ? {} : { entityId }),
});

const outdated = (pipedriveId: string): Applied => ({
  pipedriveId,
  outcome: 'skipped',
  reason: 'superseded_by_newer',
  changedKeys: [],
  losses: [],
});

type Due = Arriving & Claim & Incoming;
type Settled = Due & { plan: EntityPlan };

function dueOf(applying: Applying, arriving: Arriving, claim: Claim | undefined): Due[] {
  if (!claim) return [];
  const { link, fresh } = claim;
  const { updateTime } = arriving;
  const incoming = {
    updateTime,
    arrival: applying.arrival,
    mappingVersion: applying.mapping.version,
  };
  if (!fresh && !isNewer(link, incoming)) return [];
  // a record that came back after its deletion begins anew
  const home = link.deleted_at === null ? link.entity_id : null;
  return [{ ...arriving, ...claim, entityId: home ?? newEntityId(applying.object) }];
}

async function mergeDue(tx: Tx, applying: Applying, due: readonly Due[]): Promise<Settled[]> {
  if (due.length === 0) return [];
  const plans = await mergeEntities(tx, applying, due);
  return due.flatMap((one, index) => {
    const plan = plans[index];
    return plan ? [{ ...one, plan }] : [];
  });
}

/** Brings the links to where their records now stand. */
async function settleLinks(tx: Tx, applying: Applying, settled: readonly Settled[]): Promise<void> {
  const scope = scopeOf(applying);
  const untaken = settled.filter(({ fresh, plan }) => fresh && !isTaken(plan));
  if (untaken.length > 0) {
    await deleteLinks(
      tx,
      scope,
      untaken.map(({ pipedriveId }) => pipedriveId),
    );
  }
  const taken = settled.filter(({ plan }) => isTaken(plan));
  const moved = taken.flatMap((one) => {
    const link = linkAfter(applying, one);
    return one.fresh || isSameLink(one.link, link) ? [] : [link];
  });
  if (moved.length > 0) await updateLinks(tx, scope.workspaceId, moved);
  const arrived = taken.filter(
    ({ fresh, link, plan }) => fresh || link.deleted_at !== null || plan.outcome === 'created',
  );
  if (applying.object === 'person' || arrived.length === 0) return;
  const organizations = arrived.map(({ pipedriveId, entityId }) => ({
    pipedrive_id: pipedriveId,
    entity_id: entityId,
  }));
  await linkAwaiting(tx, scope, { organizations, now: applying.now });
}

const linkAfter = (
  applying: Applying,
  { link, entityId, plan, ...arriving }: Settled,
): RecordLink => ({
  ...link,
  entity_id: entityId,
  ...stateOf(applying, arriving, link),
  awaited_organization:
    arriving.awaited === undefined || plan.outcome === 'skipped'
      ? link.awaited_organization
      : arriving.awaited,
  deleted_at: null,
});

const isSameLink = (one: RecordLink, other: RecordLink): boolean =>
  one.entity_id === other.entity_id &&
  one.update_time?.getTime() === other.update_time?.getTime() &&
  one.webhook_ms === other.webhook_ms &&
  one.mapping_version === other.mapping_version &&
  one.awaited_organization === other.awaited_organization &&
  one.deleted_at === null;
