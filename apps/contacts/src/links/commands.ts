import { AccountId, ContactId, type PipedriveRecord } from '@manifold/contracts';
import { newId } from '@manifold/database';
import type { MappedRecord } from '@manifold/mapping';
import { lockKey } from '@manifold/messaging';
import { hotColumns, type ReadyMapping } from '../mappings/rules.ts';
import type { ReadySource, RecordLink, SyncedObject, Tx } from '../store.ts';
import { type Arrival, chooseHomes, organizationOf } from './rules.ts';
import {
  insertLinks,
  type LinkScope,
  listAccountIds,
  listContactsByEmail,
  listSiblings,
  lockLinks,
} from './store.ts';

/** What is being stored: one object of one source, through one version of its mapping. */
export interface Applying {
  source: ReadySource;
  mapping: ReadyMapping;
  object: SyncedObject;
  arrival: Arrival;
  now: Date;
}

export const scopeOf = ({ source, object }: Pick<Applying, 'source' | 'object'>): LinkScope => ({
  workspaceId: source.workspace_id,
  dataSourceId: source.id,
  object,
});

/** A record mapped, and the account it points at: undefined when it does not say. */
export interface Arriving {
  pipedriveId: string;
  updateTime: Date | null;
  mapped: MappedRecord;
  accountId: AccountId | null | undefined;
  marketingStatus: string | null;
  /** The organization it waits for: undefined when the record does not say. */
  awaited: string | null | undefined;
}

export async function mapRecords(
  tx: Tx,
  applying: Applying,
  records: readonly PipedriveRecord[],
): Promise<Arriving[]> {
  const pointers = records.map(organizationOf).filter((pointer) => typeof pointer === 'string');
  const rows =
    pointers.length === 0
      ? []
      : await listAccountIds(tx, scopeOf(applying), [...new Set(pointers)]);
  const accounts = new Map(rows.map((row) => [row.pipedrive_id, AccountId.parse(row.entity_id)]));
  return records.map((record) => {
    const pointer = organizationOf(record);
    const account = pointer == null ? undefined : accounts.get(pointer);
    return {
      pipedriveId: record.id,
      updateTime: record.updateTime === null ? null : new Date(record.updateTime),
      mapped: applying.mapping.map(record),
      accountId: pointer === undefined ? undefined : (account ?? null),
      marketingStatus: textOf(record.fields['marketing_status']),
      awaited: account === undefined ? pointer : null,
    };
  });
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** A link this transaction holds. Fresh: no record of this source led there before. */
export interface Claim {
  link: RecordLink;
  fresh: boolean;
}

/** Locks the links of all records, adding those that are missing; another writer may add them first. */
export async function claimLinks(
  tx: Tx,
  applying: Applying,
  arriving: readonly Arriving[],
): Promise<Map<string, Claim>> {
  const scope = scopeOf(applying);
  // links are locked in two rounds, so two writers of one source could wait for each other
  await lockKey(tx, scope.workspaceId, `links|${scope.dataSourceId}|${applying.object}`);
  const claims = new Map<string, Claim>();
  const lock = async (ids: readonly string[]) => {
    if (ids.length === 0) return;
    const links = await lockLinks(tx, scope, ids);
    for (const link of links) claims.set(link.pipedrive_id, { link, fresh: false });
  };
  await lock(arriving.map(({ pipedriveId }) => pipedriveId));
  const unknown = arriving.filter(({ pipedriveId }) => !claims.has(pipedriveId));
  if (unknown.length === 0) return claims;
  const homes = await findHomes(tx, applying, unknown);
  const wanted = unknown.map((one) => linkOf(applying, one, homes.get(one.pipedriveId)));
  const added = new Set(await insertLinks(tx, wanted));
  for (const link of wanted) {
    if (added.has(link.pipedrive_id)) claims.set(link.pipedrive_id, { link, fresh: true });
  }
  await lock(wanted.map((link) => link.pipedrive_id).filter((id) => !added.has(id)));
  return claims;
}

/** The contacts and accounts unknown records belong to: by record id, then by e-mail address. */
async function findHomes(
  tx: Tx,
  applying: Applying,
  unknown: readonly Arriving[],
): Promise<Map<string, string>> {
  const { source, mapping, object } = applying;
  const scope = { ...scopeOf(applying), connectionId: source.connection_id };
  const siblings = await listSiblings(
    tx,
    scope,
    unknown.map(({ pipedriveId }) => pipedriveId),
  );
  const homes = new Map(siblings.map((row) => [row.pipedrive_id, row.entity_id]));
  if (object === 'organization') return homes;
  const persons = unknown
    .filter(({ pipedriveId }) => !homes.has(pipedriveId))
    .map(({ pipedriveId, mapped }) => ({
      pipedriveId,
      email: hotColumns(mapped.values.contact ?? {}, mapping.variables.person).email,
    }));
  const emails = persons.map(({ email }) => email).filter((email) => email !== '');
  if (emails.length === 0) return homes;
  const contacts = await listContactsByEmail(tx, scope, [...new Set(emails)]);
  return new Map([...chooseHomes(persons, contacts), ...homes]);
}

export const newEntityId = (object: SyncedObject): string =>
  object === 'person' ? newId('ct', ContactId) : newId('ac', AccountId);

const linkOf = (applying: Applying, arriving: Arriving, home: string | undefined): RecordLink => ({
  workspace_id: applying.source.workspace_id,
  data_source_id: applying.source.id,
  connection_id: applying.source.connection_id,
  object: applying.object,
  pipedrive_id: arriving.pipedriveId,
  entity_id: home ?? newEntityId(applying.object),
  ...stateOf(applying, arriving, null),
  awaited_organization: arriving.awaited ?? null,
  deleted_at: null,
});

/** How new what is stored now is, for whatever comes later. */
export function stateOf(
  { arrival, mapping }: Applying,
  { updateTime }: Arriving,
  link: RecordLink | null,
): Pick<RecordLink, 'update_time' | 'webhook_ms' | 'mapping_version'> {
  const isWebhook = arrival.via === 'webhook';
  const time = updateTime ?? (isWebhook ? new Date(arrival.revision) : (link?.update_time ?? null));
  const sameSecond = time?.getTime() === link?.update_time?.getTime();
  return {
    update_time: time,
    // a page that repeats what a webhook wrote does not forget the webhook's place in the order
    webhook_ms: isWebhook
      ? String(arrival.revision)
      : sameSecond
        ? (link?.webhook_ms ?? null)
        : null,
    mapping_version: mapping.version,
  };
}
