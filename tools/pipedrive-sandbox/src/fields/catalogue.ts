import type { Database } from '../store/database.ts';
import { findSetting, saveSetting, takeNumbers } from '../store/settings.ts';
import { wholeSeconds } from '../times.ts';
import { builtInFields } from './built-in.ts';
import type { Field, FieldEntity } from './field.ts';

export interface NumberedField extends Field {
  /** The numeric id of v1, also the order of the list. */
  position: number;
}

/** The account's field definitions, kept in memory between changes. */
export interface FieldCatalogue {
  list(entity: FieldEntity): NumberedField[];
  find(entity: FieldEntity, code: string): NumberedField | undefined;
  listCustom(entity: FieldEntity): NumberedField[];
  /** Grows whenever a custom field of the entity comes or goes. */
  revision(entity: FieldEntity): number;
  insert(entity: FieldEntity, field: Field): NumberedField;
  save(entity: FieldEntity, field: NumberedField): void;
  remove(entity: FieldEntity, code: string): void;
  takeOptionIds(count: number): number;
}

interface FieldRow {
  position: number;
  data: string;
}

const ENTITIES: FieldEntity[] = ['person', 'organization', 'deal', 'product', 'activity', 'note'];

/** Reads the definitions, after adding the built-in ones on the first start. */
export function createCatalogue(db: Database, now: Date): FieldCatalogue {
  const known = new Map<FieldEntity, Map<string, NumberedField>>();
  const revisions = new Map<FieldEntity, number>();
  const insertRow = (entity: FieldEntity, field: Field): NumberedField => {
    const sql = 'insert into field (entity, code, data) values (?, ?, ?)';
    return { ...field, position: db.run(sql, entity, field.code, JSON.stringify(field)).id };
  };
  const takeOptionIds = (count: number) => takeNumbers(db, 'next option', count);
  const fieldsOf = (entity: FieldEntity) => {
    const loaded = known.get(entity) ?? loadFields(db, entity);
    known.set(entity, loaded);
    return loaded;
  };
  const revisionOf = (entity: FieldEntity) => {
    const revision = revisions.get(entity) ?? Number(findSetting(db, `revision ${entity}`) ?? 1);
    revisions.set(entity, revision);
    return revision;
  };
  const change = (entity: FieldEntity) => {
    known.delete(entity);
    revisions.set(entity, revisionOf(entity) + 1);
    saveSetting(db, `revision ${entity}`, String(revisionOf(entity)));
  };

  seedBuiltIn(db, now, { insertRow, takeOptionIds });
  return {
    list: (entity) => [...fieldsOf(entity).values()],
    find: (entity, code) => fieldsOf(entity).get(code),
    listCustom: (entity) => [...fieldsOf(entity).values()].filter((field) => field.custom),
    revision: revisionOf,
    insert(entity, field) {
      change(entity);
      return insertRow(entity, field);
    },
    save(entity, field) {
      known.delete(entity);
      const sql = 'update field set data = ? where entity = ? and code = ?';
      db.run(sql, JSON.stringify(field), entity, field.code);
    },
    remove(entity, code) {
      change(entity);
      db.run('delete from field where entity = ? and code = ?', entity, code);
    },
    takeOptionIds,
  };
}

function loadFields(db: Database, entity: FieldEntity): Map<string, NumberedField> {
  const sql = 'select position, data from field where entity = ? order by position';
  const rows = db.list<FieldRow>(sql, entity).map((row): NumberedField => {
    return { ...JSON.parse(row.data), position: row.position };
  });
  return new Map(rows.map((field) => [field.code, field]));
}

function seedBuiltIn(
  db: Database,
  now: Date,
  add: {
    insertRow: (entity: FieldEntity, field: Field) => void;
    takeOptionIds: (count: number) => number;
  },
): void {
  for (const entity of ENTITIES) {
    if (db.find('select 1 from field where entity = ? limit 1', entity) !== undefined) continue;
    for (const field of builtInFields(entity, wholeSeconds(now), () => add.takeOptionIds(1)))
      add.insertRow(entity, field);
  }
}
