import { AuditEntryId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  checkCursor,
  IdPart,
  loadById,
  type PageArguments,
  readPage,
  TimePart,
  toConnection,
} from '@manifold/subgraph';
import { z } from 'zod';
import { type Context, MOST_ABOUT } from '../loaders.ts';
import type { AuditEntry, Db } from '../store.ts';
import { readListArguments } from './arguments.ts';
import { countEntries, type EntryFilter, listEntries } from './store.ts';

const MOST_COUNTED = 10_000;
const AboutArguments = z.object({ first: z.int().min(1).max(MOST_ABOUT) });

const findEntry = (id: string, { loaders }: Context) =>
  loadById(AuditEntryId, id, (known) => loaders.entries.load(known));

/** The field `audit` of a thing that another service owns. */
const audited = {
  __resolveReference: ({ id }: { id: string }) => ({ id }),
  audit: async ({ id }: { id: string }, args: unknown, { loaders }: Context) => {
    const { first } = AboutArguments.parse(args);
    return (await loaders.about.load(id)).slice(0, first);
  },
};

const entryFields = {
  __resolveReference: ({ id }: { id: string }, context: Context) => findEntry(id, context),
  occurredAt: (entry: AuditEntry) => entry.occurred_at,
  actor: (entry: AuditEntry) => ({
    kind: entry.actor_kind.toUpperCase(),
    id: entry.actor_id,
    user: entry.actor_kind === 'user' ? { id: entry.actor_id } : null,
    apiKeyId: entry.actor_api_key_id,
    apiKey: entry.actor_api_key_id === null ? null : { id: entry.actor_api_key_id },
  }),
  target: (entry: AuditEntry) => ({ type: entry.target_type, id: entry.target_id }),
  outcome: (entry: AuditEntry) => entry.outcome.toUpperCase(),
  costTokens: (entry: AuditEntry) => entry.cost_tokens,
  record: (entry: AuditEntry) =>
    entry.pipedrive_id === null
      ? null
      : {
          connection: { id: entry.connection_id },
          object: entry.object,
          pipedriveId: entry.pipedrive_id,
        },
  correlationId: (entry: AuditEntry) => entry.correlation_id,
  causationId: (entry: AuditEntry) => entry.causation_id,
  eventId: (entry: AuditEntry) => entry.event_id,
};

export const createResolvers = ({ db }: { db: Db }) => ({
  Query: {
    auditEntries: async (_: unknown, args: PageArguments, { workspaceId }: Context) => {
      const { filter, descending } = readListArguments(args);
      const page = checkCursor(readPage(args), [TimePart, IdPart]);
      const rows = await withWorkspace(db, workspaceId, (tx) =>
        listEntries(tx, workspaceId, { filter, page, descending }),
      );
      const cursorOf = (row: AuditEntry) => [row.occurred_at.toISOString(), row.id];
      return { ...toConnection(rows, page, cursorOf), filter };
    },
    auditEntry: (_: unknown, { id }: { id: string }, context: Context) => findEntry(id, context),
  },
  AuditEntryConnection: {
    totalCount: async (
      { filter }: { filter: EntryFilter },
      _: unknown,
      { workspaceId }: Context,
    ) => {
      const most = MOST_COUNTED + 1;
      const count = await withWorkspace(db, workspaceId, (tx) =>
        countEntries(tx, workspaceId, { filter, most }),
      );
      return count > MOST_COUNTED ? null : count;
    },
  },
  AuditEntry: entryFields,
  Connection: audited,
  WriteRequest: audited,
  Contact: audited,
  ReferralUser: audited,
});
