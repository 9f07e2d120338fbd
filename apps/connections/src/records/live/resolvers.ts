import { ConnectionId, FieldCode, PipedriveObject } from '@manifold/contracts';
import {
  type AskedFor,
  idToFind,
  listArguments,
  type RequestContext,
  requireRole,
  type Resolvers,
} from '@manifold/subgraph';
import { z } from 'zod';
import { urlOf } from '../../writes/sending/rules.ts';
import { MOST_ONE_BY_ONE } from '../by-ids.ts';
import { type LiveAnswer, type LiveDeps, readLive } from './commands.ts';
import { loadRecord, type LoadedRecord, type RecordContext } from './references.ts';
import { refuseAbsent, requireRecords, showValues } from './rules.ts';

const Codes = z.array(FieldCode).max(100);
const RecordId = z.string().regex(/^[\w-]{1,64}$/, 'not the id of a record');
const asked = {
  connectionId: idToFind(ConnectionId),
  object: PipedriveObject,
  fields: Codes,
};
const OneArguments = z.object({ ...asked, id: RecordId });
const ManyArguments = z
  .object({ ...asked, ids: z.array(RecordId).min(1).max(100) })
  .refine(
    ({ object, ids }) => ids.length <= MOST_ONE_BY_ONE || (object !== 'lead' && object !== 'note'),
    { path: ['ids'], message: `at most ${MOST_ONE_BY_ONE} leads or notes at once` },
  );

/** A record as another service names it. */
const Reference = z.object({
  connectionId: idToFind(ConnectionId),
  object: z.string().transform((object) => PipedriveObject.parse(object.toLowerCase())),
  pipedriveId: RecordId,
});
const ValuesArguments = z.object({ fields: Codes.nullish() });

export const createLiveResolvers = (deps: LiveDeps): Resolvers => ({
  Query: {
    pipedriveRecord: async (_: unknown, args: unknown, context: RequestContext, info: AskedFor) => {
      const { id, object, ...question } = OneArguments.parse(args);
      const fields = codesIn(info, question.fields);
      const answer = await ask(deps, { ...question, fields, object, ids: [id] }, context);
      const [record] = answer.records;
      if (record === undefined) throw refuseAbsent(object, id);
      return toGraph({ ...answer, record }, question.fields);
    },
    pipedriveRecords: async (
      _: unknown,
      args: unknown,
      context: RequestContext,
      info: AskedFor,
    ) => {
      const question = ManyArguments.parse(args);
      const fields = codesIn(info, question.fields);
      const answer = await ask(deps, { ...question, fields }, context);
      return {
        records: answer.records.map((record) => toGraph({ ...answer, record }, question.fields)),
        missing: answer.missing,
      };
    },
  },
  PipedriveRecord: {
    __resolveReference: async (
      reference: unknown,
      context: RecordContext,
      info: AskedFor,
    ): Promise<Shown | null> => {
      requireRole(context.identity, 'MEMBER');
      const { pipedriveId: id, ...rest } = Reference.parse(reference);
      const loaded = await loadRecord(context, { ...rest, id, codes: codesIn(info) });
      return loaded && toGraph(loaded, []);
    },
    values: ({ shown }: Shown, args: unknown) =>
      showValues(
        shown.record,
        ValuesArguments.parse(args).fields ?? shown.fields,
        shown.definitions,
      ),
  },
});

/** All that is going to be shown, so that it is read at once. */
const codesIn = (info: AskedFor, named: readonly string[] = []): string[] => {
  const asked = listArguments(info, { field: 'values', argument: 'fields' });
  return Codes.parse([...new Set([...named, ...asked.flat().filter((code) => code !== null)])]);
};

function ask(
  deps: LiveDeps,
  question: z.output<typeof ManyArguments>,
  { identity, workspaceId }: RequestContext,
): Promise<LiveAnswer> {
  requireRole(identity, 'MEMBER');
  const object = requireRecords(question.object);
  return readLive(deps, { ...question, object, workspaceId, userId: identity.userId });
}

type Shown = ReturnType<typeof toGraph>;

const toGraph = ({ record, definitions, connection }: LoadedRecord, fields: readonly string[]) => ({
  connectionId: connection.id,
  object: record.object,
  pipedriveId: record.id,
  pipedriveUrl: urlOf(connection.api_domain, record) ?? null,
  addedAt: record.addTime,
  updatedAt: record.updateTime,
  deleted: record.deleted,
  shown: { record, fields, definitions },
});
