import { editByHand } from '../http/by-hand.ts';
import { refused } from '../http/problem.ts';
import { json, type Reply } from '../http/reply.ts';
import { isObject, type JsonObject, textOf } from '../json.ts';
import { findUser, listUsers } from '../users/users.ts';
import type { World } from '../world.ts';
import { readNumber, readText } from './values.ts';

/** What makes two records of an object the same thing: SQL for a key, and what it is taken from. */
const KEYS: Record<string, { from: string; key: string }> = {
  person: {
    from: "person as record, json_each(record.base, '$.emails') as email",
    key: "json_extract(email.value, '$.value')",
  },
  organization: { from: 'organization as record', key: "json_extract(record.base, '$.name')" },
  lead: { from: 'lead as record', key: "json_extract(record.base, '$.title')" },
  deal: { from: 'deal as record', key: "json_extract(record.base, '$.title')" },
  product: { from: 'product as record', key: "json_extract(record.base, '$.name')" },
};

/**
 * Living records that share an e-mail (persons), a name or a title; with `field` those that share the value of this
 * custom field.
 */
export function listDuplicates(_: JsonObject, query: URLSearchParams, { db }: World): Reply {
  const object = query.get('object') ?? 'person';
  const by = KEYS[object];
  if (by === undefined) throw refused(400, `object must be one of ${Object.keys(KEYS).join(', ')}`);
  const field = query.get('field');
  const { from, key } =
    field === null
      ? by
      : { from: `${object} as record`, key: "json_extract(record.custom, '$.' || ?)" };
  const rows = db.list<{ key: string; ids: string }>(
    `select key, json_group_array(id) as ids from (
       select distinct lower(trim(${key})) as key, record.id as id from ${from} where record.deleted = 0
     ) where key <> '' group by key having count(*) > 1 order by key`,
    ...(field === null ? [] : [`"${field.replaceAll('"', '')}"`]),
  );
  return json(
    200,
    rows.map((row) => ({ key: row.key, ids: JSON.parse(row.ids) })),
  );
}

/** A person at work in Pipedrive's own pages: with `id` a change, without it a new record; `fields: null` deletes. */
export async function edit(body: JsonObject, _: URLSearchParams, world: World): Promise<Reply> {
  const userId = readNumber(body, 'userId', 0);
  const user =
    userId === 0 ? listUsers(world.db).find(({ admin }) => admin) : findUser(world.db, userId);
  if (user === undefined) throw refused(400, 'No such user');
  const object = readText(body, 'object');
  const id = body.id === undefined ? undefined : textOf(body.id);
  const fields = body.fields === null ? null : isObject(body.fields) ? body.fields : {};
  return editByHand({ object, id, fields, user }, world);
}
