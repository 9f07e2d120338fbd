import { ConnectionId, PipedriveObject } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import {
  createGroupLoader,
  idToFind,
  type RequestContext,
  requireRole,
  type Resolvers,
} from '@manifold/subgraph';
import { z } from 'zod';
import { requireDeciding } from '../../accounts/ownership/commands.ts';
import { managerOf } from '../../accounts/ownership/rules.ts';
import { requireFound } from '../../accounts/rules.ts';
import { findConnection } from '../../accounts/store.ts';
import type { Connection } from '../../accounts/tables.ts';
import type { Db } from '../../store.ts';
import { allowExternalId, disallowExternalId } from './commands.ts';
import { EXTERNAL_ID_OBJECTS, type ExternalIdObject, isExternalIdObject } from './rules.ts';
import { listExternalIdFields } from './store.ts';
import type { ExternalIdField } from './tables.ts';

interface Deps {
  db: Db;
  now: () => Date;
}

/** One batched query per request for the consents of all companies shown. */
export const createExternalIdLoaders = ({ db }: Pick<Deps, 'db'>, context: RequestContext) => ({
  externalIdFields: createGroupLoader<string, ExternalIdField>(
    (companyIds) =>
      withWorkspace(db, context.workspaceId, (tx) => listExternalIdFields(tx, companyIds)),
    ({ company_id }) => company_id,
  ),
});

type Context = RequestContext & { loaders: ReturnType<typeof createExternalIdLoaders> };

const Arguments = z.object({
  input: z.object({
    connectionId: idToFind(ConnectionId),
    objects: z.array(PipedriveObject).min(1).max(8),
  }),
});

export const createExternalIdResolvers = (deps: Deps): Resolvers => ({
  Mutation: {
    allowExternalId: async (_: unknown, args: { input: unknown }, context: Context) => {
      const { connection, objects } = await readConsent(deps, args, context);
      const { userId: by } = context.identity;
      await allowExternalId(deps, connection, { objects, by });
      return { connection };
    },
    disallowExternalId: async (_: unknown, args: { input: unknown }, context: Context) => {
      const { connection, objects } = await readConsent(deps, args, context);
      await disallowExternalId(deps.db, connection, objects);
      return { connection };
    },
  },
  Connection: {
    externalIdFields: async ({ company_id }: Connection, _: unknown, { loaders }: Context) => {
      const fields = await loaders.externalIdFields.load(company_id);
      return fields.map((field) => ({
        object: field.object,
        allowedBy: field.allowed_by,
        allowedAt: field.allowed_at,
        fieldCode: field.field_code,
        refusedReason: field.refused_reason,
      }));
    },
  },
});

/** A consent may be given while the connection rests: nothing is asked of Pipedrive. */
async function readConsent(deps: Deps, args: { input: unknown }, context: Context) {
  const { connectionId, objects } = Arguments.parse(args).input;
  requireRole(context.identity, 'MEMBER');
  const deciding = { by: managerOf(context.identity), field: 'input.connectionId' };
  const connection = await withWorkspace(deps.db, context.workspaceId, async (tx) => {
    const found = requireFound(
      await findConnection(tx, connectionId),
      connectionId,
      deciding.field,
    );
    await requireDeciding(tx, found, deciding);
    return found;
  });
  return { connection, objects: requireObjects(objects) };
}

function requireObjects(objects: readonly PipedriveObject[]): ExternalIdObject[] {
  const known = objects.filter(isExternalIdObject);
  if (known.length === objects.length) return [...new Set(known)];
  throw new Refusal('invalid', 'Only some kinds of record can carry an external id', {
    reason: 'invalid_input',
    field: 'input.objects',
    fix: `Use any of ${EXTERNAL_ID_OBJECTS.join(', ').toUpperCase()}.`,
  });
}
