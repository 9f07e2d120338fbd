import { AuditEntryId } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { loadById, originOf, requireRole } from '@manifold/subgraph';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { type Context, parkedKeyOf } from '../loaders.ts';
import type { AuditEntry } from '../store.ts';
import { readDiscardArguments, readListArguments, readReplayArguments } from './arguments.ts';
import { discardParked, listParked, replayParked } from './keepers.ts';
import { replayMessage } from './replaying.ts';
import { parkedMessageOf } from './rules.ts';

const ReplayArguments = z.object({ input: z.object({ auditEntryId: z.string().max(64) }) });

export const createParkedResolvers = ({ nats }: { nats: NatsConnection }) => ({
  Query: {
    parkedMessages: async (_: unknown, args: unknown, { workspaceId }: Context) => {
      const wanted = readListArguments(args);
      const { messages, total, unanswered } = await listParked(nats, workspaceId, wanted);
      return { nodes: messages, totalCount: total, unanswered };
    },
  },
  Mutation: {
    replayParkedMessages: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'ADMIN');
      const wanted = readReplayArguments(args);
      const { messageIds, unanswered } = await replayParked(nats, originOf(context), wanted);
      const left = await listParked(nats, context.workspaceId, { ...wanted, first: 0 });
      return { messageIds, remaining: left.total, unanswered };
    },
    discardParkedMessages: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'ADMIN');
      return discardParked(nats, originOf(context), readDiscardArguments(args));
    },
    replayParkedMessage: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'ADMIN');
      const { auditEntryId } = ReplayArguments.parse(args).input;
      const { entries, parked } = context.loaders;
      const entry = await loadById(AuditEntryId, auditEntryId, (id) => entries.load(id));
      if (!entry) throw noEntry(auditEntryId);
      const message = parkedMessageOf(entry);
      if (!message) throw notReplayable();
      const replayed = await replayMessage(nats, message, originOf(context));
      parked.clear(parkedKeyOf(message));
      return { auditEntry: entry, replayed };
    },
  },
  AuditEntry: {
    stillParked: async (entry: AuditEntry, _: unknown, { loaders }: Context) => {
      const message = parkedMessageOf(entry);
      if (message) return (await loaders.parked.load(parkedKeyOf(message)))?.parked ?? null;
      // a parked webhook: it was not kept
      return entry.action.endsWith('.message_parked') ? false : null;
    },
  },
});

const noEntry = (id: string): Refusal =>
  new Refusal('not_found', `There is no audit entry ${id}`, {
    reason: 'record_not_found',
    field: 'input.auditEntryId',
    fix: 'Use an id that `auditEntries` lists.',
  });

const notReplayable = (): Refusal =>
  new Refusal('precondition', 'This entry is about no message that was kept', {
    reason: 'message_unknown',
    field: 'input.auditEntryId',
    fix: 'Use an entry whose `stillParked` is true.',
  });
