import { createOnce, withWorkspace } from '@manifold/database';
import {
  IdempotencyKey,
  type RequestContext,
  requireRole,
  type Resolvers,
} from '@manifold/subgraph';
import { z } from 'zod';
import { describeEncryption, rotateDataKey, type VaultDeps } from './commands.ts';

export type EncryptionDeps = Pick<VaultDeps, 'db' | 'keyring' | 'now'>;

const RotateArguments = z.object({ input: z.object({ idempotencyKey: IdempotencyKey }) });

export const createVaultResolvers = (deps: EncryptionDeps): Resolvers => ({
  Query: {
    encryption: (_: unknown, __: unknown, { identity, workspaceId }: RequestContext) => {
      requireRole(identity, 'OWNER');
      return describeEncryption(deps, workspaceId);
    },
  },
  Mutation: {
    rotateEncryptionKey: (_: unknown, args: unknown, context: RequestContext) => {
      requireRole(context.identity, 'OWNER');
      return rotate(deps, RotateArguments.parse(args).input.idempotencyKey, context);
    },
  },
});

async function rotate(
  { db, keyring, now }: EncryptionDeps,
  key: string | undefined,
  { workspaceId }: RequestContext,
) {
  const at = now();
  const once = {
    ...{ workspaceId, operation: 'rotateEncryptionKey', key, input: {}, now: at },
    parseId: (id: string) => id,
  };
  await withWorkspace(db, workspaceId, (tx) =>
    createOnce(
      tx,
      once,
      async () => (await rotateDataKey(tx, workspaceId, { keyring, now: at })).id,
    ),
  );
  return { encryption: await describeEncryption({ db, keyring }, workspaceId) };
}
