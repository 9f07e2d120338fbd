import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PipedriveRecord } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Failure, Outcome, PipedriveClient } from '@manifold/pipedrive';
import type { Db } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { enterKeys, keyFields } from './entering.ts';
import { listChanged } from './paging/listing.ts';
import { isFreshEnough, isTrackable, marginBefore } from './rules.ts';
import { findRegistry, releaseReading, setRegistry, takeReading } from './store.ts';
import type { RecordRegistry, RegistryPlace } from './tables.ts';

export interface CatchUpDeps {
  db: Db;
  vault: Vault;
  now: () => Date;
}

const PAGE = 500;
/** Of one go. What is left is read by the next. */
const MOST_PAGES = 10;
/** Longer than a page takes with its wait for the budget; renewed with every page. */
const HOLD_SECONDS = 90;
const POLL_MS = 50;
/** Waiting for another replica's read ends after this many looks. */
const MOST_LOOKS = 1_200;

/** Why it failed; or since when nothing is missing. */
type Caught = { failure: Failure } | { readAt: Date | null };
type Going = Map<string, { beganAt: Date; work: Promise<Caught> }>;
const goingBy = new WeakMap<Db, Going>();

/**
 * Reads what changed since the index was last current, unless a read that began at `needed` or later
 * did. All callers of a process share one read, and so do all replicas. Returns why it failed.
 */
export async function catchUp(
  deps: CatchUpDeps,
  wanted: { place: RegistryPlace; needed: Date },
  client: () => Promise<PipedriveClient>,
): Promise<Failure | undefined> {
  const { place, needed } = wanted;
  const going: Going = goingBy.get(deps.db) ?? new Map();
  goingBy.set(deps.db, going);
  const key = `${place.workspace_id}|${place.company_id}|${place.object}`;
  const current = going.get(key);
  if (current !== undefined && current.beganAt >= needed) {
    const caught = await current.work;
    if ('failure' in caught) return caught.failure;
    // it began to wait late enough, but another's earlier read may have been enough for it
    if (isFreshEnough({ read_began_at: caught.readAt }, needed)) return undefined;
  }
  const beganAt = deps.now();
  const before: Promise<unknown> = going.get(key)?.work ?? Promise.resolve();
  const work = before
    .catch(() => undefined)
    .then(() => readInTurn(deps, { place, needed }, client))
    .finally(() => {
      if (going.get(key)?.work === work) going.delete(key);
    });
  going.set(key, { beganAt, work });
  const caught = await work;
  return 'failure' in caught ? caught.failure : undefined;
}

/** Waits while another replica reads; reads itself when nobody does and nobody has. */
async function readInTurn(
  deps: CatchUpDeps,
  { place, needed }: { place: RegistryPlace; needed: Date },
  client: () => Promise<PipedriveClient>,
): Promise<Caught> {
  const reader = randomUUID();
  const scoped = <Result>(work: (tx: Db) => Promise<Result>) =>
    withWorkspace(deps.db, place.workspace_id, work);
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const seen = await scoped((tx) => findRegistry(tx, place));
    if (seen === undefined) return { failure: behind('index_gone') };
    if (isFreshEnough(seen, needed)) return { readAt: seen.read_began_at };
    const taken = await scoped((tx) => takeReading(tx, place, { reader, seconds: HOLD_SECONDS }));
    if (taken !== undefined) {
      try {
        // one that went on where an earlier one stopped may still be too old: looked at once more
        const failure = isFreshEnough(taken, needed)
          ? undefined
          : await readChanges(deps, { registry: taken, reader, client: await client() });
        if (failure !== undefined) return { failure };
      } finally {
        await scoped((tx) => releaseReading(tx, place, reader));
      }
    }
    if (taken === undefined) await sleep(POLL_MS);
  }
  return { failure: behind('index_busy') };
}

const behind = (cause: string): Failure => ({ outcome: 'unavailable', cause });

interface Reading {
  registry: RecordRegistry;
  reader: string;
  client: PipedriveClient;
}

async function readChanges(deps: CatchUpDeps, reading: Reading): Promise<Failure | undefined> {
  const { registry, reader } = reading;
  let cursor = registry.read_cursor ?? undefined;
  const beganAt = registry.partial_began_at ?? deps.now();
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const listed = await listChanges(deps, reading, cursor);
    if (listed.outcome !== 'ok') {
      // a cursor Pipedrive no longer takes must not hold the index for ever
      if (listed.outcome === 'refused') await startOver(deps, registry);
      return listed;
    }
    cursor = listed.nextCursor;
    const isEntered = await withWorkspace(deps.db, registry.workspace_id, async (tx) => {
      if (!(await enterKeys(tx, deps.vault, { registry, records: listed.data }))) return false;
      // taken over by another: how far this one is says nothing any more
      const held = await takeReading(tx, registry, { reader, seconds: HOLD_SECONDS });
      if (held === undefined) return false;
      await setRegistry(tx, registry, placeAfter(beganAt, cursor));
      return true;
    });
    if (!isEntered) return behind('index_changed');
    if (cursor === undefined) return undefined;
  }
  return behind('index_behind');
}

/** Where a read of changes stands after a page: at its end the index is certified up to its start. */
const placeAfter = (beganAt: Date, cursor: string | undefined) =>
  cursor === undefined
    ? {
        certified_until: marginBefore(beganAt),
        read_began_at: beganAt,
        read_cursor: null,
        partial_began_at: null,
      }
    : { read_cursor: cursor, partial_began_at: beganAt };

const startOver = (deps: CatchUpDeps, registry: RecordRegistry) =>
  withWorkspace(deps.db, registry.workspace_id, (tx) =>
    setRegistry(tx, registry, { read_cursor: null, partial_began_at: null }),
  );

/** In the order of change, so that what changes meanwhile comes later in the same read. */
async function listChanges(
  { db }: CatchUpDeps,
  { registry, client }: Reading,
  cursor: string | undefined,
): Promise<Outcome<PipedriveRecord[]>> {
  const { object, certified_until: since } = registry;
  if (!isTrackable(object) || since === null) return behind('index_not_built');
  const fields = await keyFields(db, registry);
  return listChanged(client, object, { ...fields, since, limit: PAGE, cursor });
}
