import { readStart } from '../http/paging.ts';
import { numberedPage, type Reply } from '../http/reply.ts';
import type { JsonObject } from '../json.ts';
import { spacedTime } from '../times.ts';
import type { NumberedField } from './catalogue.ts';

const MANDATORY = ['title', 'content'];

/** Definitions in the shape of v1, for the nouns that v2 does not have. */
export function olderFieldPage(fields: NumberedField[], query: URLSearchParams): Reply {
  const { start, limit } = readStart(query);
  const items = fields.slice(start, start + limit).map((field, at): JsonObject => {
    const time = spacedTime(new Date(field.addTime));
    return {
      id: field.position,
      key: field.code,
      name: field.name,
      order_nr: start + at + 1,
      field_type: field.type,
      add_time: time,
      update_time: time,
      active_flag: true,
      edit_flag: field.custom,
      bulk_edit_allowed: true,
      filtering_allowed: true,
      sortable_flag: true,
      mandatory_flag: MANDATORY.includes(field.code),
      options: field.options?.map(({ id, label }) => ({ id, label })) ?? null,
    };
  });
  return numberedPage(items, { start, limit, more: fields.length > start + limit });
}
