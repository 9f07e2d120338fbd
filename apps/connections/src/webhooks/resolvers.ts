import { ConnectionId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  createLoader,
  idToFind,
  type RequestContext,
  requireRole,
  type Resolvers,
} from '@manifold/subgraph';
import { z } from 'zod';
import { managerOf, requireUpkeep } from '../accounts/ownership/rules.ts';
import { requireFound, requireUsable } from '../accounts/rules.ts';
import { findConnection, lockConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import type { Db, Tx } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { rotateSecret } from './commands.ts';
import { listHealth, putHealth } from './health/store.ts';
import { redriveReceipts } from './store.ts';
import type { WebhookHealth } from './tables.ts';

export const createWebhookLoaders = ({ db }: { db: Db }, { workspaceId }: RequestContext) => ({
  webhookHealth: createLoader<ConnectionId, WebhookHealth>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listHealth(tx, ids)),
    ({ id }) => id,
  ),
});

type Context = RequestContext & { loaders: ReturnType<typeof createWebhookLoaders> };

interface WebhookDeps {
  db: Db;
  vault: Vault;
  now: () => Date;
}

const OneArguments = z.object({ input: z.object({ id: idToFind(ConnectionId) }) });

export const createWebhookResolvers = (deps: WebhookDeps): Resolvers => ({
  Mutation: {
    checkWebhooks: (_: unknown, args: unknown, context: Context) =>
      onConnection(deps, { args, context }, (tx, { workspace_id, id }) =>
        putHealth(tx, { workspace_id, id, due_at: deps.now() }),
      ),
    rotateWebhookSecret: (_: unknown, args: unknown, context: Context) =>
      onConnection(deps, { args, context }, (tx, connection) =>
        rotateSecret(tx, connection, { vault: deps.vault, now: deps.now() }),
      ),
    redriveWebhooks: (_: unknown, args: unknown, context: Context) => redrive(deps, args, context),
  },
  Connection: {
    webhookHealth: async ({ id }: Connection, _: unknown, { loaders }: Context) =>
      (await loaders.webhookHealth.load(id)) ?? { state: 'UNKNOWN' },
  },
  WebhookHealth: {
    checkedAt: ({ checked_at }: WebhookHealth) => checked_at,
    lastDeliveryAt: ({ last_delivery_at }: WebhookHealth) => last_delivery_at,
    lastStatus: ({ last_status }: WebhookHealth) => last_status,
    bannedUntil: ({ banned_until }: WebhookHealth) => banned_until,
    repairedAt: ({ repaired_at }: WebhookHealth) => repaired_at,
  },
});

async function onConnection(
  { db }: WebhookDeps,
  { args, context }: { args: unknown; context: Context },
  change: (tx: Tx, connection: Connection) => Promise<void>,
): Promise<{ connection: Connection }> {
  const { id } = OneArguments.parse(args).input;
  requireRole(context.identity, 'MEMBER');
  const connection = await withWorkspace(db, context.workspaceId, async (tx) => {
    const found = requireUsable(await lockConnection(tx, id), id, 'input.id');
    requireUpkeep(found, managerOf(context.identity), 'input.id');
    await change(tx, found);
    return requireFound(await lockConnection(tx, id), id);
  });
  return { connection };
}

/** Of one call; the oldest come first, the next call takes the rest. */
const MOST_REDRIVEN = 5_000;

async function redrive(
  { db, now }: WebhookDeps,
  args: unknown,
  context: Context,
): Promise<{ connection: Connection; redriven: number }> {
  const { id } = OneArguments.parse(args).input;
  requireRole(context.identity, 'MEMBER');
  const { workspaceId } = context;
  return withWorkspace(db, workspaceId, async (tx) => {
    const connection = requireFound(await findConnection(tx, id), id, 'input.id');
    requireUpkeep(connection, managerOf(context.identity), 'input.id');
    const of = { workspaceId, connectionId: id, now: now(), limit: MOST_REDRIVEN };
    return { connection, redriven: await redriveReceipts(tx, of) };
  });
}
