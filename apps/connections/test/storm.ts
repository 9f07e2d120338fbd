import { z } from 'zod';
import { submitWrite } from '../src/writes/submitting.ts';
import type { SendingDeps } from '../src/writes/sending/held.ts';
import { startWriteWorker } from '../src/writes/sending/worker.ts';
import { commandOf, personStep } from './write-commands.ts';
import type { Pipedrive, World } from './writing.ts';

/** How a Pipedrive behaves that answers one create in five with nothing. */
export const STORM_SETTLE_MS = 60_000;
export const STORM_SEARCH_LAG_MS = 10_000;
const PERSONS = { method: 'POST', path: '/api/v2/persons' };

export type Storm = Awaited<ReturnType<typeof runStorm>>;

interface Place {
  world: World;
  pipedrive: Pipedrive;
  /** From `@manifold/testing`. */
  eventually: <Result>(
    assertion: () => Promise<Result>,
    options?: { timeoutMs?: number },
  ) => Promise<Result>;
}

/**
 * Writes so many persons through the worker while a fifth of the creates has no answer: half of those
 * were never carried out, half were, some of them up to 25 s later. Ends when every step has.
 */
export async function runStorm(
  { world, pipedrive, eventually }: Place,
  options: { count: number; factor: number; isNaive?: boolean },
) {
  const { count, factor, isNaive = false } = options;
  await makeFaults(pipedrive);
  const wanted: Wanted = new Map();
  for (let number = 0; number < count; number += 1) {
    const email = `storm${number}@example.test`;
    const command = commandOf(
      { workspaceId: world.workspaceId, connectionId: world.connection.id },
      { lane: 'bulk', steps: [personStep(email)] },
    );
    const { writeRequestId } = await submitWrite(world.deps, command, world.deps.now());
    wanted.set(writeRequestId, email);
  }
  const deps = isNaive ? { ...world.deps, clientFor: naive(world.deps) } : world.deps;
  // leases are of the fast clock, what keeps them is of the real one
  const worker = startWriteWorker({ ...deps, leaseMs: 15_000 * factor });
  const tally = await untilRested({ world, eventually });
  await worker.stop();
  return { tally, lost: await listLost(world, wanted), ...(await reading(pipedrive)) };
}

async function makeFaults(pipedrive: Pipedrive): Promise<void> {
  const faults = [
    { kind: 'cut-before', share: 0.1, seed: 'never' },
    { kind: 'cut-after', share: 0.05, seed: 'at once' },
    { kind: 'late-commit', share: 0.02, ms: 5_000, seed: 'soon' },
    { kind: 'late-commit', share: 0.02, ms: 15_000, seed: 'later' },
    { kind: 'late-commit', share: 0.02, ms: 25_000, seed: 'late' },
  ];
  for (const fault of faults) {
    const body = JSON.stringify({ ms: 0, ...fault, match: PERSONS });
    const answer = await fetch(`${pipedrive.controlUrl}/faults`, { method: 'POST', body });
    if (!answer.ok) throw new Error(`fault not made: ${await answer.text()}`);
  }
}

/** What many integrations do: a create without an answer is sent again at once. */
const naive =
  ({ clientFor }: SendingDeps): SendingDeps['clientFor'] =>
  async (...use) => {
    const client = await clientFor(...use);
    const createRecord: typeof client.createRecord = async (...args) => {
      for (let attempt = 0; ; attempt += 1) {
        const outcome = await client.createRecord(...args);
        if (outcome.outcome !== 'unknown' || attempt === 5) return outcome;
      }
    };
    return { ...client, createRecord };
  };

const LONGEST_MS = 900_000;

/** Steps by state, once none moves on its own any more. */
export const untilRested = ({ world, eventually }: Pick<Place, 'world' | 'eventually'>) =>
  eventually(
    async () => {
      const rows = await world.scoped((tx) =>
        tx
          .selectFrom('write_step')
          .select((row) => ['state', row.fn.countAll<string>().as('count')])
          .where('workspace_id', '=', world.workspaceId)
          .groupBy('state')
          .execute(),
      );
      const tally = Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]));
      const isMoving = ['planned', 'queued', 'sending', 'unknown'].some((state) => tally[state]);
      if (isMoving) throw new Error(`still moving: ${JSON.stringify(tally)}`);
      return tally;
    },
    { timeoutMs: LONGEST_MS },
  );

/** The e-mail address each request asked for. */
type Wanted = Map<string, string>;

const addressesShape = z.array(z.object({ value: z.string() })).catch([]);

/** Steps that say they are applied and whose record is not there, or is another person; read as any client would. */
export async function listLost(world: World, wanted: Wanted): Promise<string[]> {
  const use = { lane: 'interactive', feature: 'writes' } as const;
  const client = await world.deps.clientFor(world.workspaceId, world.connection.id, use);
  const addresses = new Map<string, string[]>();
  let cursor: string | undefined;
  do {
    const page = await client.listRecords('person', { cursor });
    if (page.outcome !== 'ok') throw new Error(`persons not listed: ${page.outcome}`);
    for (const { id, fields } of page.data) {
      addresses.set(
        id,
        addressesShape.parse(fields['emails']).map(({ value }) => value),
      );
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  const applied = await world.scoped((tx) =>
    tx
      .selectFrom('write_step')
      .select(['id', 'pipedrive_id', 'write_request_id'])
      .where('workspace_id', '=', world.workspaceId)
      .where('state', '=', 'applied')
      .execute(),
  );
  const isThere = ({ pipedrive_id, write_request_id }: (typeof applied)[number]) => {
    const email = wanted.get(write_request_id);
    return email !== undefined && addresses.get(pipedrive_id ?? '')?.includes(email) === true;
  };
  return applied.filter((step) => !isThere(step)).map(({ id }) => id);
}

const duplicatesShape = z.array(z.object({ key: z.string(), ids: z.array(z.unknown()) }));
const ledgerShape = z.object({
  tokens: z.number(),
  operations: z.array(
    z.object({ operation: z.string(), requests: z.number(), tokens: z.number() }),
  ),
});

async function reading({ controlUrl }: Pipedrive) {
  const get = async (path: string) =>
    JSON.parse(await (await fetch(`${controlUrl}${path}`)).text());
  return {
    duplicates: duplicatesShape.parse(await get('/duplicates?object=person')),
    ledger: ledgerShape.parse(await get('/ledger')),
  };
}
