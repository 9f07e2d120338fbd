import type { NumberedField } from '../fields/catalogue.ts';
import type { FieldEntity } from '../fields/field.ts';
import { type JsonObject, textOf } from '../json.ts';
import { insertLead } from '../leads/store.ts';
import { completeCustom, fieldRevision, listCustomFields } from '../records/custom-part.ts';
import type { RecordEntity } from '../records/entities.ts';
import { nextRecordId, saveRecord } from '../records/store.ts';
import { insertTerm, isSearchable, termsOf } from '../search/terms.ts';
import { listUsers } from '../users/users.ts';
import type { World } from '../world.ts';
import { ensureCustomFields } from './custom-fields.ts';
import { addNotes } from './add-notes.ts';
import { type Links, listStages, makeActivity, makeDeal, makeProduct } from './make-linked.ts';
import { makeLead, makeOrganization, makePerson } from './make-records.ts';
import { createRandom, type Random } from './random.ts';
import { type KnownIds, makeCustomValue } from './values.ts';

export interface GenerateSize {
  seed: string;
  persons: number;
  organizations: number;
  leads: number;
  deals?: number;
  products?: number;
  activities?: number;
  notes?: number;
}

const BATCH = 5_000;

/**
 * Adds records that depend on the seed and the size only. They count as imported long ago: no webhooks, and search
 * finds them at once. Returns what was added and the custom field codes by entity and type.
 */
export function generate(world: World, size: GenerateSize): JsonObject {
  const entities: FieldEntity[] = ['person', 'organization', 'deal', 'product'];
  const fields = world.db.transaction(() =>
    entities.map((entity) => [entity, ensureCustomFields(world, entity, size.seed)] as const),
  );
  const random = createRandom(size.seed);
  const { organizations, persons } = size;
  const ids: KnownIds = { users: listUsers(world.db).map(({ id }) => id), persons, organizations };

  const add = (entity: RecordEntity, count: number, make: (id: number) => JsonObject) => ({
    first: addRecords(world, { entity, count, random, ids }, make),
    count,
  });

  const orgRange = add('organization', organizations, (id) => makeOrganization(id, random, ids));
  const personRange = add('person', persons, (id) => makePerson(id, random, { ids, orgRange }));
  addLeads(world, size.leads, { random, ids, firstPerson: personRange.first });
  const { deals = 0, products = 0, activities = 0, notes = 0 } = size;
  const links: Links = { users: ids.users, orgRange, personRange, stages: listStages(world) };
  links.dealRange = add('deal', deals, (id) => makeDeal(id, random, links));
  add('product', products, (id) => makeProduct(id, random, links));
  add('activity', activities, (id) => makeActivity(id, random, links));
  addNotes(world, notes, { random, links });
  const codes = fields.map(([entity, list]) => [
    entity,
    Object.fromEntries(list.map(({ type, code }) => [type, code])),
  ]);
  return {
    seed: size.seed,
    counts: { persons, organizations, leads: size.leads, deals, products, activities, notes },
    fields: Object.fromEntries(codes),
  };
}

/** Returns the first id. One transaction per batch, so that a large run stays small in memory. */
function addRecords(
  world: World,
  run: { entity: RecordEntity; count: number; random: Random; ids: KnownIds },
  make: (id: number) => JsonObject,
): number {
  const { entity, count, random, ids } = run;
  const firstId = nextRecordId(world.db, entity);
  const custom = listCustomFields(entity, world);
  const revision = fieldRevision(entity, world);
  for (let start = 0; start < count; start += BATCH)
    world.db.transaction(() => {
      for (let at = start; at < Math.min(start + BATCH, count); at += 1) {
        const base = make(firstId + at);
        const values = makeCustom(custom, random, ids);
        saveRecord(world.db, entity, { base, custom: values, revision });
        if (!isSearchable(entity)) continue;
        for (const term of termsOf(base, values, custom))
          insertTerm(world, { entity, id: firstId + at, term, fromMs: 0 });
      }
    });
  return firstId;
}

function makeCustom(fields: NumberedField[], random: Random, ids: KnownIds): JsonObject {
  return Object.fromEntries(
    fields.map((field) => [field.code, makeCustomValue(field, random, ids)]),
  );
}

function addLeads(
  world: World,
  count: number,
  { random, ids, firstPerson }: { random: Random; ids: KnownIds; firstPerson: number },
): void {
  const fields = world.fields.listCustom('deal');
  world.db.transaction(() => {
    for (let at = 0; at < count; at += 1) {
      const personId = ids.persons === 0 ? null : firstPerson + random.int(ids.persons);
      const base = makeLead(random, ids, personId);
      const values = completeCustom('deal', makeCustom(fields, random, ids), world);
      const set = Object.entries(values).filter(([, value]) => value !== null);
      const custom: JsonObject = Object.fromEntries(set);
      insertLead(world.db, { base, custom });
      for (const term of termsOf(base, custom, fields))
        insertTerm(world, { entity: 'lead', id: textOf(base.id), term, fromMs: 0 });
    }
  });
}
