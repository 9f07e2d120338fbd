import type { FieldDefinition } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Refusal } from '@manifold/errors';
import type { CreatableType, PipedriveClient } from '@manifold/pipedrive';
import { refusalOf } from '../../accounts/rules.ts';
import type { Connection } from '../../accounts/tables.ts';
import { findCatalogues } from '../store.ts';
import { type FieldCreationDeps, keepMade, readFields, type WantedField } from './catalogue.ts';
import { type CreationLease, takeLease } from './lease.ts';
import {
  countCustomFields,
  decideName,
  decideRoom,
  refuseFull,
  refuseTaken,
  saysFull,
} from './rules.ts';
import { addMissing } from './options.ts';
import { findLearnedCap, setLearnedCap } from './store.ts';

/** A custom field somebody wants. */
export interface NewFieldWanted extends WantedField {
  name: string;
  type: CreatableType;
  options: string[] | undefined;
}

/**
 * Makes a custom field, or finds it: asked twice for one name and type there is one field, with all
 * the choices that were asked for. The catalogue is read first, so a field somebody just made in
 * Pipedrive is found as well.
 */
export async function createField(
  deps: FieldCreationDeps,
  client: PipedriveClient,
  wanted: NewFieldWanted,
): Promise<{ field: FieldDefinition; created: boolean; addedOptions: string[] }> {
  const lease = await takeLease(deps, wanted.connection);
  const making = await findOrMake(deps, client, { ...wanted, lease });
  // where it may have been made all the same, nobody tries again before it can be seen
  if (making.outcome === 'made' || !making.isOpen) await lease.end();
  if (making.outcome === 'refused') throw making.refusal;
  const { field, created, addedOptions } = making;
  return { field, created, addedOptions };
}

type Making =
  | { outcome: 'made'; field: FieldDefinition; created: boolean; addedOptions: string[] }
  | { outcome: 'refused'; refusal: Refusal; isOpen: boolean };

const refused = (refusal: Refusal, { isOpen = false } = {}): Making => ({
  outcome: 'refused',
  refusal,
  isOpen,
});

async function findOrMake(
  deps: FieldCreationDeps,
  client: PipedriveClient,
  wanted: NewFieldWanted & { lease: CreationLease },
): Promise<Making> {
  const { connection, object, name, type, options } = wanted;
  const read = await readFields(deps, client, wanted);
  if (read.outcome !== 'ok') return refused(refusalOf(read));
  const decision = decideName(read.data, { name, type });
  if (decision.outcome === 'exists') {
    return complete(deps, client, { ...wanted, field: decision.field });
  }
  if (decision.outcome === 'taken') return refused(refuseTaken(decision.field));
  const room = await lookForRoom(deps, connection);
  if (room.outcome === 'full') return refused(refuseFull(room.cap));
  await wanted.lease.renew();
  const made = await client.createField(object, {
    name,
    type,
    ...(options === undefined ? {} : { options }),
  });
  if (made.outcome === 'ok') {
    await keepMade(deps, wanted, made.data);
    return { outcome: 'made', field: made.data, created: true, addedOptions: [] };
  }
  if (saysFull(made)) return refused(await learnCap(deps, connection, room.count));
  return refused(refusalOf(made), { isOpen: made.outcome === 'unknown' });
}

/** A field that is there already gets the choices it lacks. */
async function complete(
  deps: FieldCreationDeps,
  client: PipedriveClient,
  wanted: NewFieldWanted & { lease: CreationLease; field: FieldDefinition },
): Promise<Making> {
  const added = await addMissing(deps, client, { ...wanted, labels: wanted.options ?? [] });
  if (added.outcome !== 'ok') {
    return refused(refusalOf(added), { isOpen: added.outcome === 'unknown' });
  }
  const { field, created } = added.data;
  return { outcome: 'made', field, created: false, addedOptions: created };
}

function lookForRoom(
  { db, now, customFieldCap: assumed }: FieldCreationDeps,
  { workspace_id, id, company_id }: Connection,
) {
  return withWorkspace(db, workspace_id, async (tx) => {
    const count = countCustomFields(await findCatalogues(tx, id));
    const learned = await findLearnedCap(tx, company_id);
    return { count, ...decideRoom(count, { assumed, learned, now: now() }) };
  });
}

async function learnCap(
  { db, now }: FieldCreationDeps,
  { workspace_id, company_id }: Connection,
  fields: number,
): Promise<Refusal> {
  await withWorkspace(db, workspace_id, (tx) =>
    setLearnedCap(tx, company_id, { fields, learnedAt: now() }),
  );
  return refuseFull(fields);
}
