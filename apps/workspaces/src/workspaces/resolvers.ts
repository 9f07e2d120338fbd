import { EntitlementName, entitlementNames } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { IdempotencyKey, originOf, requireRole } from '@manifold/subgraph';
import { z } from 'zod';
import { listWorkspacesOf } from '../keys/commands.ts';
import type { Context } from '../loaders.ts';
import type { Db, Workspace } from '../store.ts';
import { Name } from '../arguments.ts';
import { createWorkspace, setEntitlement } from './commands.ts';
import { findWorkspace } from './store.ts';

const CreateWorkspaceArguments = z.object({
  input: z.object({
    name: Name,
    idempotencyKey: IdempotencyKey,
  }),
});
const SetEntitlementArguments = z.object({
  input: z.object({
    name: z.string().toLowerCase().pipe(EntitlementName),
    enabled: z.boolean(),
  }),
});

const entitlements = (isOn: (name: EntitlementName) => boolean) =>
  entitlementNames.map((name) => ({ name: name.toUpperCase(), enabled: isOn(name) }));

async function currentWorkspace({ loaders, workspaceId }: Context) {
  const workspace = await loaders.workspace();
  if (workspace) return workspace;
  throw new Refusal('not_found', `There is no workspace ${workspaceId}`, {
    reason: 'record_not_found',
  });
}

export const createResolvers = ({ db, now }: { db: Db; now: () => Date }) => ({
  Query: {
    viewer: () => ({}),
    workspace: (_: unknown, __: unknown, context: Context) => currentWorkspace(context),
  },
  Mutation: {
    createWorkspace: async (_: unknown, args: unknown, context: Context) => {
      const { input } = CreateWorkspaceArguments.parse(args);
      const caller = { origin: originOf(context), identity: context.identity };
      const id = await createWorkspace(db, caller, input, now());
      return { workspace: await withWorkspace(db, id, (tx) => findWorkspace(tx, id)) };
    },
    setEntitlement: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'OWNER');
      const { input } = SetEntitlementArguments.parse(args);
      const off = await setEntitlement(db, originOf(context), input, now());
      return { entitlements: entitlements((name) => !off.includes(name)) };
    },
  },
  Viewer: {
    user: (_: unknown, __: unknown, { loaders, identity }: Context) =>
      loaders.users.load(identity.userId),
    role: (_: unknown, __: unknown, { identity }: Context) => identity.role,
    workspace: (_: unknown, __: unknown, context: Context) => currentWorkspace(context),
    workspaces: (_: unknown, __: unknown, { identity }: Context) => listWorkspacesOf(db, identity),
    entitlements: (_: unknown, __: unknown, { identity }: Context) =>
      entitlements((name) => identity.entitlements.includes(name)),
  },
  Workspace: {
    __resolveReference: ({ id }: { id: string }, { loaders, workspaceId }: Context) =>
      id === workspaceId ? loaders.workspace() : null,
    id: (workspace: Pick<Workspace, 'workspace_id'>) => workspace.workspace_id,
    createdAt: (workspace: Pick<Workspace, 'created_at'>) => workspace.created_at,
  },
});
