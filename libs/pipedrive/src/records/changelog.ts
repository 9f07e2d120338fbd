import { z } from 'zod';
import type { Call } from '../calling/call.ts';
import { currentCode } from '../fields/field-codes.ts';
import type { MergeableObject } from './merging.ts';
import type { OperationName } from '../operations.ts';
import type { Outcome } from '../calling/outcomes.ts';
import { toInstant } from '../normalising/shapes.ts';

/** The objects Pipedrive keeps a history of. */
export const changelogOperations = {
  person: 'getPersonChangelog',
  organization: 'getOrganizationChangelog',
  deal: 'getDealChangelog',
} as const satisfies Record<MergeableObject, OperationName>;

export type LoggedObject = keyof typeof changelogOperations;

/** One field of one record, changed once. Values are text as Pipedrive's history keeps them. */
export interface LoggedChange {
  fieldCode: string;
  before: string | null;
  after: string | null;
  userId: string | null;
  at: string | null;
  source: 'app' | 'api' | null;
  bulk: boolean;
}

export interface Changelog {
  /** One page of the changes of a record, newest first; needs the scope `recents:read`. */
  listChanges: (
    object: LoggedObject,
    id: string,
    page?: { cursor?: string | undefined; limit?: number | undefined },
  ) => Promise<Outcome<LoggedChange[]>>;
}

const text = z
  .union([z.string(), z.number(), z.boolean()])
  .nullish()
  .transform((value) => (value === null || value === undefined ? null : String(value)));

const change = z.looseObject({
  field_key: z.string(),
  old_value: text,
  new_value: text,
  actor_user_id: text,
  time: z.unknown(),
  change_source: z.enum(['app', 'api']).nullish().catch(null),
  is_bulk_update_flag: z.union([z.boolean(), z.number()]).nullish(),
});

export const createChangelog = (call: Call): Changelog => ({
  listChanges: (object, id, { cursor, limit = 500 } = {}) =>
    call(changelogOperations[object], {
      path: { id },
      query: { cursor, limit },
      read: (data) =>
        z
          .array(change)
          .parse(data ?? [])
          .map((entry) => ({
            fieldCode: currentCode(object, entry.field_key),
            before: entry.old_value,
            after: entry.new_value,
            userId: entry.actor_user_id,
            at: toInstant(entry.time),
            source: entry.change_source ?? null,
            bulk: Boolean(entry.is_bulk_update_flag),
          })),
    }),
});
