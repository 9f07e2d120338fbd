import {
  ConnectionId,
  FieldCode,
  PipedriveObject,
  type PipedriveRecord,
} from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import type { RecordObject } from '@manifold/pipedrive';
import { type RequestContext, requireRole, type Resolvers } from '@manifold/subgraph';
import { z } from 'zod';
import { urlOf } from '../../writes/sending/rules.ts';
import { MOST_ONE_BY_ONE } from '../by-ids.ts';
import { isReadable } from '../rules.ts';
import { type LiveAnswer, type LiveDeps, readLive } from './commands.ts';
import { refuseAbsent, showValues } from './rules.ts';

const RecordId = z.string().regex(/^[\w-]{1,64}$/, 'not the id of a record');
const asked = {
  connectionId: ConnectionId,
  object: PipedriveObject,
  fields: z.array(FieldCode).max(100),
};
const OneArguments = z.object({ ...asked, id: RecordId });
const ManyArguments = z
  .object({ ...asked, ids: z.array(RecordId).min(1).max(100) })
  .refine(
    ({ object, ids }) => ids.length <= MOST_ONE_BY_ONE || (object !== 'lead' && object !== 'note'),
    { path: ['ids'], message: `at most ${MOST_ONE_BY_ONE} leads or notes at once` },
  );

export const createLiveResolvers = (deps: LiveDeps): Resolvers => ({
  Query: {
    pipedriveRecord: async (_: unknown, args: unknown, context: RequestContext) => {
      const { id, object, ...question } = OneArguments.parse(args);
      const answer = await ask(deps, { ...question, object, ids: [id] }, context);
      const [record] = answer.records;
      if (record === undefined) throw refuseAbsent(object, id);
      return toGraph(record, question.fields, answer);
    },
    pipedriveRecords: async (_: unknown, args: unknown, context: RequestContext) => {
      const question = ManyArguments.parse(args);
      const answer = await ask(deps, question, context);
      return {
        records: answer.records.map((record) => toGraph(record, question.fields, answer)),
        missing: answer.missing,
      };
    },
  },
});

function ask(
  deps: LiveDeps,
  question: z.output<typeof ManyArguments>,
  { identity, workspaceId }: RequestContext,
): Promise<LiveAnswer> {
  requireRole(identity, 'MEMBER');
  const object = requireRecords(question.object);
  return readLive(deps, { ...question, object, workspaceId, userId: identity.userId });
}

function requireRecords(object: PipedriveObject): RecordObject {
  if (isReadable(object)) return object;
  throw new Refusal('invalid', 'Users are no records', {
    reason: 'invalid_input',
    field: 'object',
    fix: 'Name another kind of record.',
  });
}

const toGraph = (
  record: PipedriveRecord,
  fields: readonly string[],
  { definitions, connection }: LiveAnswer,
) => ({
  object: record.object,
  pipedriveId: record.id,
  pipedriveUrl: urlOf(connection.api_domain, record) ?? null,
  addedAt: record.addTime,
  updatedAt: record.updateTime,
  deleted: record.deleted,
  values: showValues(record, fields, definitions),
});
