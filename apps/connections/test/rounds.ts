import { connectDatabase } from '@manifold/database';
import type { Logger } from 'pino';
import type { Db, Tables } from '../src/store.ts';
import { createGranted, createReplica } from './granted.ts';
import { openTestVault, startInstallation } from './installation.ts';

const REPLICAS = 8;
const CALLS = 50;
const HOUR_MS = 3_600_000;

interface RoundGround {
  database: { db: Db; urls: { ownerUrl: string; appUrl: string } };
  natsUrl: string;
  sandbox: { url: string; controlUrl: string; apiToken: string };
  clock: { skewMs: number };
  log: Logger;
}

/** Eight replicas that share one grant of a provider that takes it away when an old refresh token comes back. */
export async function startRounds({ database, natsUrl, sandbox, clock, log }: RoundGround) {
  const { db, urls } = database;
  const installation = await startInstallation({ urls, natsUrl, sandbox, log });
  const vault = await openTestVault(db);
  const now = () => new Date(Date.now() + clock.skewMs);
  const pools = Array.from({ length: REPLICAS }, () =>
    connectDatabase<Tables>(urls.appUrl, { max: 4 }),
  );
  const replicas = pools.map((pool) => createReplica(pool, { vault, sandbox, now, log }));
  const userId: number = (await installation.control('GET', '/state')).users[0].id;
  const granted = createGranted({ installation, sandbox, db, vault, userId });
  await installation.control('POST', '/grants/faults', { kind: 'revoke-on-reuse' });
  const counts = async () => (await installation.control('GET', '/grants'))[0];

  return {
    granted,
    /** Calls of all replicas at once as the token ends; how they ended, and what that cost the grant. */
    async round(of: Awaited<ReturnType<typeof granted.connect>>, number: number) {
      const before = await counts();
      // by our clock, or by Pipedrive's alone
      if (number % 2 === 0) clock.skewMs += HOUR_MS * 1.01;
      else {
        await installation.control('POST', '/grants/expire', { clientId: 'test-app', userId });
      }
      const calls = replicas.flatMap((replica) =>
        Array.from({ length: CALLS }, async () => {
          const use = { lane: 'event', feature: 'test' } as const;
          const client = await replica.clientFor(of.workspaceId, of.id, use);
          return (await client.getMe()).outcome;
        }),
      );
      const ended = await Promise.allSettled(calls);
      const after = await counts();
      return {
        worked: ended.filter((one) => one.status === 'fulfilled' && one.value === 'ok').length,
        refreshes: after.asked - before.asked,
        revoked: after.revoked,
        isInstalled: after.installed,
      };
    },
    stop: async () => {
      await installation.stop();
      await Promise.all(pools.map((pool) => pool.destroy()));
    },
  };
}

export const unharmed = {
  worked: REPLICAS * CALLS,
  refreshes: 1,
  revoked: 0,
  isInstalled: true,
};
