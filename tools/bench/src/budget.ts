import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Graph } from '@manifold/dev/graph';
import {
  type Installation,
  removeInstallation,
  startInstallation,
} from '@manifold/dev/installation';
import { z } from 'zod';
import { fireAtLimit } from './budget/bare-loop.ts';
import { approve, cancel, planNames, readChangeSet } from './budget/change-set.ts';
import { readWaits } from './budget/people.ts';
import { beginWindows, readWindows, setLimits, WINDOW_MS, type Windows } from './budget/windows.ts';
import { demoCompleted } from './measuring/demo.ts';
import type { Figure } from './measuring/figures.ts';
import { readCampaign, signUp } from './measuring/sign-ups.ts';

/** OAuth on the smallest plan. */
const LIMIT = 80;
const SEATS = 10;
/** Not counted: a process that has just started runs code the compiler has not yet seen often. */
const WARM_UP_ROUNDS = 3;
const ROUNDS = 3;
const FULL_WINDOWS = 4;
/** More than the windows of a round take. */
const PERSONS = 500;
const SIGN_UP_EVERY_MS = 1_000;
const LOOK_EVERY_MS = 250;
const ENVIRONMENT = {
  DEMO_PERSONS: String(PERSONS),
  DEMO_ORGANIZATIONS: '10',
  SANDBOX_LIMITS: 'off',
};

/** How bulk work uses the API window of Lite, beside people who do not want to wait for it. */
export async function measureBudget(signal: AbortSignal): Promise<Figure[]> {
  const home = await mkdtemp(join(tmpdir(), 'manifold-bench-'));
  try {
    console.log('Starting an installation …');
    const manifold = await startInstallation({ home, signal, env: ENVIRONMENT });
    try {
      await demoCompleted(manifold);
      await setLimits(manifold, { plan: 'lite', seats: SEATS, apiToken: LIMIT });
      const rounds: Round[] = [];
      for (let round = 1; round <= WARM_UP_ROUNDS + ROUNDS; round += 1) {
        signal.throwIfAborted();
        const counted = round - WARM_UP_ROUNDS;
        console.log(counted < 1 ? 'Warming up …' : `Round ${counted} of ${ROUNDS} …`);
        const measured = await measureRound(manifold, `Round ${round}`);
        if (counted >= 1) rounds.push(measured);
      }
      return figuresOf(rounds);
    } finally {
      await manifold.stop();
    }
  } finally {
    await removeInstallation({ home });
  }
}

interface Round {
  bare: number;
  bulk: Windows & { used: number };
  /** Of each sign-up, of each of its writes. */
  waitsMs: number[][];
}

/** The bare loop, then a change set with somebody who signs up every second. */
async function measureRound(manifold: Installation, name: string): Promise<Round> {
  const graph = await manifold.graph();
  const { connectionId, pipedriveIds } = await readPersons(graph);
  const path = `/api/v2/persons/${pipedriveIds[0]}`;
  const bare = await fireAtLimit(manifold, { limit: LIMIT, fullWindows: FULL_WINDOWS, path });
  const id = await planNames(graph, { connectionId, pipedriveIds, name });
  // what planning took of the window is over
  await sleep(WINDOW_MS);
  await beginWindows(manifold);
  await approve(graph, id);
  const { bulk, signUps } = await watchBulk(manifold, graph, id);
  const waitsMs = await readWaits(graph, signUps);
  await cancel(graph, id);
  return { bare: usedOf(bare), bulk: { ...bulk, used: usedOf(bulk) }, waitsMs };
}

/** Until enough windows were seen; the change set has to have more to write all the time. */
async function watchBulk(
  manifold: Installation,
  graph: Graph,
  changeSetId: string,
): Promise<{ bulk: Windows; signUps: number }> {
  const campaignId = await readCampaign(graph);
  const startedAt = performance.now();
  let signUps = 0;
  for (;;) {
    if (performance.now() - startedAt > signUps * SIGN_UP_EVERY_MS) {
      await signUp(graph, campaignId);
      signUps += 1;
    }
    const bulk = await readWindows(manifold);
    const { state } = await readChangeSet(graph, changeSetId);
    if (state !== 'APPLYING') throw new Error(`The change set is ${state} too early.`);
    if (bulk.windows.length >= FULL_WINDOWS + 2) return { bulk, signUps };
    await sleep(LOOK_EVERY_MS);
  }
}

const Contacts = z.object({
  contacts: z.object({ nodes: z.array(z.object({ pipedriveId: z.string() })).length(PERSONS) }),
});

async function readPersons(graph: Graph) {
  const { contacts } = await graph(
    `{ contacts(first: ${PERSONS}) { nodes { pipedriveId } } }`,
    {},
    Contacts,
  );
  const { connections } = await graph(
    '{ connections(filter: { status: ACTIVE }, first: 1) { nodes { id } } }',
    {},
    z.object({ connections: z.object({ nodes: z.tuple([z.object({ id: z.string() })]) }) }),
  );
  const pipedriveIds = contacts.nodes.map(({ pipedriveId }) => pipedriveId);
  return { connectionId: connections.nodes[0].id, pipedriveIds };
}

function usedOf({ used }: Windows): number {
  if (used === null) throw new Error('No full window was seen.');
  return used;
}

const figuresOf = (rounds: readonly Round[]): Figure[] => [
  {
    name: 'window used by a bare loop at the limit',
    unit: 'ratio',
    samples: rounds.map(({ bare }) => bare),
  },
  {
    name: 'window used by bulk and people',
    unit: 'ratio',
    samples: rounds.map(({ bulk }) => bulk.used),
  },
  {
    name: 'window used, to the bare loop',
    unit: 'ratio',
    samples: rounds.map(({ bulk, bare }) => bulk.used / bare),
    goal: { of: 'median', atLeast: 0.85 },
  },
  {
    name: 'answers that were 429',
    unit: 'ratio',
    samples: rounds.map(({ bulk }) => bulk.refusedShare),
    goal: { of: 'max', below: 0.01 },
  },
  {
    name: 'a person’s write meanwhile, asked → done',
    unit: 'windows',
    samples: rounds.flatMap(({ waitsMs }) => waitsMs.flat().map((ms) => ms / WINDOW_MS)),
    goal: { of: 'max', below: 0.5 },
  },
  {
    name: 'all writes of a sign-up, asked → done',
    unit: 'windows',
    samples: rounds.flatMap(({ waitsMs }) =>
      waitsMs.map((each) => each.reduce((sum, ms) => sum + ms, 0) / WINDOW_MS),
    ),
  },
];
