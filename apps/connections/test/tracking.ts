import type { PipedriveObject } from '@manifold/contracts';
import { beginCertificate } from '../src/completeness/commands.ts';
import type { CompletenessDeps } from '../src/completeness/reading.ts';
import { listNewestCertificates } from '../src/completeness/store.ts';
import { workDue } from '../src/completeness/worker.ts';
import { requireRegistry } from '../src/registry/commands.ts';
import { registerChange } from '../src/registry/keeping.ts';
import { lookUp } from '../src/registry/look-up.ts';
import type { KeyKind } from '../src/registry/rules.ts';
import { findRegistry, setRegistry } from '../src/registry/store.ts';
import type { RegistryPlace } from '../src/registry/tables.ts';
import type { Db } from '../src/store.ts';
import { followChange } from '../src/webhooks/following.ts';
import type { World } from './writing.ts';

export type Tracking = ReturnType<typeof createTracking>;

/** Tracks persons of a world, or what is named, work by work, on a clock the test puts forward; frozen, it does not move by itself. */
export function createTracking(
  world: World,
  options: { graceMs?: number; isFrozen?: boolean; object?: PipedriveObject } = {},
) {
  const { vault, connection, deps } = world;
  const startedAt = Date.now();
  let skewMs = 0;
  const now = () => new Date((options.isFrozen === true ? startedAt : Date.now()) + skewMs);
  const tracking: CompletenessDeps = {
    ...{ db: deps.db, vault, now, log: deps.log },
    access: {
      clientFor: deps.clientFor,
      authorizationFor: () => Promise.reject(new Error('not needed')),
    },
    follow: followChange(vault),
    register: registerChange(vault),
    sweepEveryMs: 3_600_000,
    verifyEveryMs: 86_400_000,
    graceMs: options.graceMs ?? 0,
  };
  const tracked = options.object ?? 'person';
  const place = (object = tracked) => placeOf(world, object);
  return {
    deps: tracking,
    place,
    forward: (ms: number) => {
      skewMs += ms;
    },
    registry: () => world.scoped((tx) => findRegistry(tx, place())),
    work: () => workDue(tracking),
    settle: () => settle(tracking),
    track: (keys: readonly KeyKind[], object: PipedriveObject = tracked, feature = 'test') =>
      world.scoped((tx) =>
        requireRegistry(tx, { connection, object, keys, feature }, { ...tracking, now: now() }),
      ),
    sweep: async () => {
      const change = { sweep_at: now(), due_at: now() };
      await world.scoped((tx) => setRegistry(tx, place(), change));
      await settle(tracking);
    },
    verify: ({ repairs = true }: { repairs?: boolean } = {}) =>
      verify(world, tracking, { place: place(), repairs }),
    certificate: () => findNewest(world, tracked),
    find: finder(world, now),
    events: () => listChanges(world),
  };
}

const placeOf = ({ workspaceId, connection }: World, object: PipedriveObject): RegistryPlace => ({
  workspace_id: workspaceId,
  company_id: connection.company_id,
  object,
});

const findNewest = async ({ workspaceId, connection, scoped }: World, tracked: PipedriveObject) => {
  const newest = await scoped((tx) =>
    listNewestCertificates(tx, workspaceId, connection.company_id),
  );
  return newest.find(({ object }) => object === tracked);
};

/** Does everything there is to do now. */
async function settle(tracking: CompletenessDeps): Promise<void> {
  for (let count = 0; count < 200; count += 1) if ((await workDue(tracking)) === 0) return;
  throw new Error('there is no end to the work');
}

async function verify(
  { workspaceId, scoped }: World,
  tracking: CompletenessDeps,
  { place, repairs }: { place: RegistryPlace; repairs: boolean },
): Promise<void> {
  const actor = { kind: 'service', id: 'test' } as const;
  const asker = { workspaceId, actor, correlationId: 'test' };
  await scoped(async (tx) => {
    const found = await findRegistry(tx, place);
    if (found === undefined) throw new Error('nothing is tracked');
    await beginCertificate(tx, found, { asker, repairs, now: tracking.now() });
  });
  await settle(tracking);
}

/** Looks an e-mail address up, as a step would; with another pool, as another replica. */
const finder =
  ({ vault, connection, workspaceId, deps: { db, clientFor } }: World, now: () => Date) =>
  async (email: string, on: Db = db) => {
    const use = { lane: 'event', feature: 'writes' } as const;
    const client = await clientFor(workspaceId, connection.id, use);
    const wanted = {
      workspaceId,
      connectionId: connection.id,
      companyId: connection.company_id,
      object: 'person' as const,
      key: { kind: 'email', value: email } as const,
    };
    return lookUp({ db: on, vault, now, clientFor }, wanted, client);
  };

const listChanges = (world: World) =>
  world.scoped(async (tx) => {
    const rows = await tx
      .selectFrom('outbox')
      .select('body')
      .where('name', '=', 'connections.record_changed.v1')
      .orderBy('id')
      .execute();
    // typed by what each test expects of them
    return rows.map(({ body }) => JSON.parse(JSON.stringify(body)).payload);
  });
