import { ConnectionId, PipedriveFeature } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  boundedText,
  IdempotencyKey,
  idToFind,
  loadById,
  optional,
  originOf,
  type PageArguments,
  requireRole,
  type Resolvers,
  toConnection,
} from '@manifold/subgraph';
import { z } from 'zod';
import { disableConnection, enableConnection } from './commands.ts';
import { type Asker, connectWithApiToken, type ConnectingDeps } from './connecting/connecting.ts';
import { idleUntil } from './grants/rules.ts';
import { tryAtOnce } from './grants/upkeep.ts';
import { readListing } from './listing.ts';
import { managerOf } from './ownership/rules.ts';
import type { AccountContext as Context } from './loaders.ts';
import { deleteConnection, type RemovalDeps } from './removal/removal.ts';
import { allFeatures, checkFeature } from './preflight/rules.ts';
import { causeOf, fixOf, nameOf, requireFound } from './rules.ts';
import { countConnections, listConnections } from './store.ts';
import type { Connection } from './tables.ts';

export type AccountDeps = ConnectingDeps & RemovalDeps;

const kind = z.enum(['ORGANIZATION', 'PERSONAL']);
const OneArguments = z.object({ input: z.object({ id: idToFind(ConnectionId) }) });
const noWhitespace = /^[\x21-\x7e]+$/;
const ApiTokenInput = z.object({
  apiToken: z
    .string()
    .trim()
    .min(1, { abort: true })
    .max(512)
    .regex(noWhitespace, 'no API token: it has a gap in it'),
  companyDomain: optional(
    z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/i, 'the first label of the host, such as acme'),
  ),
  kind,
  replace: optional(z.boolean()),
  acceptLimitedVisibility: optional(z.boolean()),
  acceptTerms: optional(boundedText(64)),
  idempotencyKey: IdempotencyKey,
});
const ApiTokenArguments = z.object({ input: ApiTokenInput });

const Features = optional(z.array(PipedriveFeature).max(allFeatures.length));
const PreflightArguments = z.object({ features: Features });
const PreflightQuery = z.object({ connectionId: idToFind(ConnectionId), features: Features });

const findOne = (id: string, { loaders }: Context) =>
  loadById(ConnectionId, id, (known) => loaders.connections.load(known));

/** A personal connection is anybody's own matter; one for the whole workspace is not. */
const requireConnecting = (context: Context, asked: Connection['kind']): void =>
  requireRole(context.identity, asked === 'ORGANIZATION' ? 'ADMIN' : 'MEMBER');

const askerOf = (context: Context): Asker => {
  return { ...originOf(context), ...managerOf(context.identity) };
};

export const createAccountResolvers = (deps: AccountDeps): Resolvers => ({
  Query: {
    connection: (_: unknown, { id }: { id: string }, context: Context) => findOne(id, context),
    connectionPreflight: async (_: unknown, args: unknown, { loaders }: Context) => {
      const { connectionId: id, features } = PreflightQuery.parse(args);
      const connection = requireFound(await loaders.connections.load(id), id, 'connectionId');
      return preflight(deps, connection, features);
    },
    connections: async (_: unknown, args: PageArguments, { workspaceId, identity }: Context) => {
      const { filter, page, newestFirst } = readListing(args, identity.userId);
      return withWorkspace(deps.db, workspaceId, async (tx) => {
        const rows = await listConnections(tx, { filter, page, newestFirst });
        return {
          ...toConnection(rows, page, (row) => [row.id]),
          totalCount: await countConnections(tx, filter),
        };
      });
    },
  },
  Mutation: {
    connectWithApiToken: async (_: unknown, args: { input: unknown }, context: Context) => {
      const { input } = ApiTokenArguments.parse(args);
      requireConnecting(context, input.kind);
      return { connection: await connectWithApiToken(deps, input, askerOf(context)) };
    },
    disableConnection: (_: unknown, args: { input: unknown }, context: Context) =>
      changeOne(deps, disableConnection, { args, context }),
    enableConnection: async (_: unknown, args: { input: unknown }, context: Context) => {
      const enabled = await changeOne(deps, enableConnection, { args, context });
      const { connection } = enabled;
      if (connection.status !== 'NEEDS_REAUTH') return enabled;
      return { connection: (await tryAtOnce(deps, connection)) ?? connection };
    },
    deleteConnection: async (_: unknown, args: { input: unknown }, context: Context) => {
      const { id } = OneArguments.parse(args).input;
      requireRole(context.identity, 'MEMBER');
      const deleted = await deleteConnection(deps, id, askerOf(context));
      return { deletedId: deleted.id };
    },
  },
  Connection: {
    ...connectionFields,
    preflight: (connection: Connection, args: unknown) =>
      preflight(deps, connection, PreflightArguments.parse(args).features),
  },
});

const preflight = (
  { apps }: AccountDeps,
  connection: Connection,
  features: readonly PipedriveFeature[] = allFeatures,
) =>
  features.map((feature) => {
    const { fix, ...check } = checkFeature(connection, feature, apps);
    return { ...check, fix: fix ?? null };
  });

async function changeOne(
  { db, now }: AccountDeps,
  change: typeof enableConnection,
  { args, context }: { args: unknown; context: Context },
): Promise<{ connection: Connection }> {
  const { id } = OneArguments.parse(args).input;
  // whose connection it is decides what else it needs
  requireRole(context.identity, 'MEMBER');
  const connection = await withWorkspace(db, context.workspaceId, (tx) =>
    change(tx, id, { asker: askerOf(context), now: now() }),
  );
  return { connection };
}

const connectionFields = {
  __resolveReference: ({ id }: { id: string }, context: Context) => findOne(id, context),
  name: async (connection: Connection, _: unknown, { loaders }: Context) =>
    nameOf(connection, await loaders.organizationConnections.load(connection.company_id)),
  owner: ({ kind: whose, user_id: id }: Connection) => (whose === 'PERSONAL' ? { id } : null),
  statusReason: ({ status, status_reason }: Connection) =>
    status === 'ACTIVE' ? null : status_reason,
  disabledBy: ({ status, disabled_by: id }: Connection) =>
    status === 'DISABLED' && id !== null ? { id } : null,
  cause: (connection: Connection) => causeOf(connection) ?? null,
  fix: (connection: Connection) => fixOf(connection) ?? null,
  brokenSince: ({ broken_since }: Connection) => broken_since,
  app: ({ app_name }: Connection) => app_name,
  grant: async ({ grant_id: id }: Connection, _: unknown, { loaders }: Context) => {
    const grant = id === null ? undefined : await loaders.grants.load(id);
    if (!grant) return null;
    const isAlive = grant.access_token !== null;
    return { isAlive, renewedAt: grant.renewed_at, idleUntil: isAlive ? idleUntil(grant) : null };
  },
  terms: async ({ id }: Connection, _: unknown, { loaders }: Context) => {
    const consent = await loaders.termsAccepted.load(id);
    if (!consent) return null;
    const { terms_version: version, user_id, accepted_at: acceptedAt } = consent;
    return { version, acceptedAt, acceptedBy: { id: user_id } };
  },
  company: ({ company_id, company_name, company_domain, api_domain }: Connection) => ({
    id: company_id,
    name: company_name,
    domain: company_domain,
    url: api_domain,
  }),
  pipedriveUserId: ({ pipedrive_user_id }: Connection) => pipedrive_user_id,
  isAdministrator: ({ is_admin }: Connection) => is_admin,
  webhooks: ({ webhook_state }: Connection) => webhook_state,
  createdAt: ({ created_at }: Connection) => created_at,
  updatedAt: ({ updated_at }: Connection) => updated_at,
};
