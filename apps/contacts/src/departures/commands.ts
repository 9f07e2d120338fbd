import { AccountId, ContactId } from '@manifold/contracts';
import { rowOf } from '../entities/commands.ts';
import { withoutSource } from '../entities/rules.ts';
import { deleteAccount, deleteContact, lockEntities, updateEntities } from '../entities/store.ts';
import { type Applying, scopeOf } from '../links/commands.ts';
import { isStillGone } from '../links/rules.ts';
import {
  awaitOrganization,
  clearLinksTo,
  countLiveLinks,
  insertLinks,
  lockLinks,
  lockOrganizations,
  updateLinks,
} from '../links/store.ts';
import type { RecordLink, Tx } from '../store.ts';
import { handOverRefusals } from '../subscriptions/commands.ts';
import { decideDeparture, type Survivor } from './rules.ts';

export interface Departing {
  pipedriveId: string;
  /** Time of the deletion at Pipedrive, in milliseconds. */
  revision: number;
  mergedInto?: string | undefined;
}

/** What a departure did to a contact or account of ours. */
export interface Departed {
  entityId: string;
  action: 'deleted' | 'detached' | 'updated';
  changedKeys: string[];
}

/** Follows a deletion or a merge. The record stays known as gone, so that nothing late revives it. */
export async function removeRecord(
  tx: Tx,
  applying: Applying,
  departing: Departing,
): Promise<Departed | undefined> {
  await lockOrganizations(tx, scopeOf(applying));
  const { link, survivor } = await lockBoth(tx, applying, departing);
  if (!link || !isStillGone(link, departing.revision)) return undefined;
  const others =
    link.entity_id === null ? 0 : await countLiveLinks(tx, link.workspace_id, link.entity_id);
  const departure = decideDeparture({
    link,
    survivor: standingOf(departing, survivor),
    shared: survivor !== undefined && survivor.entity_id === link.entity_id,
    otherLinks: others - 1,
  });
  const parting = { link, survivor, departing };
  switch (departure) {
    case 'remember':
      await updateLinks(tx, link.workspace_id, [
        gone(applying, { ...parting, left: link.entity_id }),
      ]);
      return undefined;
    case 'hand_over':
      return handOver(tx, applying, parting);
    case 'detach':
      return detach(tx, applying, parting);
    case 'delete':
      return remove(tx, applying, parting);
  }
}

interface Parting {
  link: RecordLink;
  survivor: RecordLink | undefined;
  departing: Departing;
}

/** No link: the record was unknown, and is remembered as gone now. */
async function lockBoth(
  tx: Tx,
  applying: Applying,
  { pipedriveId, mergedInto, revision }: Departing,
): Promise<{ link?: RecordLink | undefined; survivor?: RecordLink | undefined }> {
  const ids = [pipedriveId, ...(mergedInto === undefined ? [] : [mergedInto])];
  const lock = async () => {
    const links = await lockLinks(tx, scopeOf(applying), ids);
    const linkOf = (id: string | undefined) => links.find((link) => link.pipedrive_id === id);
    return { link: linkOf(pipedriveId), survivor: linkOf(mergedInto) };
  };
  const locked = await lock();
  if (locked.link) return locked;
  const added = await insertLinks(tx, [
    {
      workspace_id: applying.source.workspace_id,
      data_source_id: applying.source.id,
      connection_id: applying.source.connection_id,
      object: applying.object,
      pipedrive_id: pipedriveId,
      entity_id: locked.survivor?.entity_id ?? null,
      update_time: new Date(revision),
      webhook_ms: String(revision),
      mapping_version: applying.mapping.version,
      awaited_organization: null,
      deleted_at: applying.now,
    },
  ]);
  // a page may have brought it in this very moment
  return added.length > 0 ? {} : lock();
}

function standingOf({ mergedInto }: Departing, survivor: RecordLink | undefined): Survivor {
  if (mergedInto === undefined) return 'none';
  if (survivor === undefined) return 'unknown';
  return survivor.deleted_at === null ? 'here' : 'gone';
}

/** The link of a departed record: it leads to the survivor of its merge, or to what is `left`. */
function gone(
  { now }: Applying,
  { link, survivor, departing, left }: Parting & { left: string | null },
): RecordLink {
  const stored = link.update_time?.getTime() ?? 0;
  return {
    ...link,
    entity_id: survivor?.entity_id ?? left,
    update_time: new Date(Math.max(stored, departing.revision)),
    webhook_ms: String(departing.revision),
    awaited_organization: null,
    deleted_at: now,
  };
}

async function handOver(
  tx: Tx,
  applying: Applying,
  parting: Parting,
): Promise<Departed | undefined> {
  const { link, departing } = parting;
  const heir = {
    ...link,
    pipedrive_id: departing.mergedInto ?? link.pipedrive_id,
    // whatever comes of the survivor is newer than this
    update_time: null,
    webhook_ms: null,
  };
  const added = await insertLinks(tx, [heir]);
  // a page brought the survivor in this very moment: there is one to merge into now
  if (added.length === 0) return removeRecord(tx, applying, departing);
  await updateLinks(tx, link.workspace_id, [gone(applying, { ...parting, left: link.entity_id })]);
  return link.entity_id === null
    ? undefined
    : { entityId: link.entity_id, action: 'updated', changedKeys: [] };
}

async function detach(tx: Tx, applying: Applying, parting: Parting): Promise<Departed | undefined> {
  const { link } = parting;
  const { object } = applying;
  await updateLinks(tx, link.workspace_id, [gone(applying, { ...parting, left: null })]);
  if (link.entity_id === null) return undefined;
  const [entity] = await lockEntities(tx, link.workspace_id, { object, ids: [link.entity_id] });
  if (!entity) return undefined;
  const rest = withoutSource(entity, link.data_source_id);
  const row = rowOf(applying, { ...rest, id: entity.id });
  await updateEntities(tx, link.workspace_id, { object, rows: [row] });
  return { entityId: entity.id, action: 'detached', changedKeys: rest.changedKeys };
}

async function remove(tx: Tx, applying: Applying, parting: Parting): Promise<Departed | undefined> {
  const { link, survivor } = parting;
  const { entity_id: entityId, workspace_id: workspaceId } = link;
  if (entityId === null) return undefined;
  if (applying.object === 'person') {
    if (survivor?.entity_id != null) {
      const [from, to] = [ContactId.parse(entityId), ContactId.parse(survivor.entity_id)];
      await handOverRefusals(tx, workspaceId, { from, to, now: applying.now });
    }
    await deleteContact(tx, workspaceId, ContactId.parse(entityId));
  } else {
    const id = AccountId.parse(entityId);
    const heir = survivor?.entity_id == null ? null : AccountId.parse(survivor.entity_id);
    if (heir === null) {
      await awaitOrganization(tx, scopeOf(applying), {
        pipedriveId: link.pipedrive_id,
        accountId: id,
      });
    }
    await deleteAccount(tx, workspaceId, { id, survivor: heir, now: applying.now });
  }
  await clearLinksTo(tx, workspaceId, entityId);
  await updateLinks(tx, workspaceId, [gone(applying, { ...parting, left: null })]);
  return { entityId, action: 'deleted', changedKeys: [] };
}
