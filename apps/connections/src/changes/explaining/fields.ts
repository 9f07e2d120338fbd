import { goesOnAt } from '../holding/rules.ts';
import type { ChangeSetContext as Context } from '../reading/loaders.ts';
import type { ChangeSet } from '../store.ts';
import { explainSet, waitOf } from './rules.ts';

async function wordsOf(now: () => Date, set: ChangeSet, { loaders }: Context) {
  const [connection, hold] = await Promise.all([
    loaders.connections.load(set.acting_connection_id ?? set.connection_id),
    waitOf(set) === null || set.state !== 'applying' ? null : loaders.holds.load(set.id),
  ]);
  return explainSet(set, connection, goesOnAt(set, hold, now()));
}

/** Why a set is where it is: as codes and in words. */
export const createExplainingFields = ({ now }: { now: () => Date }) => ({
  waitsFor: (set: ChangeSet) => waitOf(set),
  why: async (set: ChangeSet, _: unknown, context: Context) =>
    (await wordsOf(now, set, context))?.why ?? null,
  fix: async (set: ChangeSet, _: unknown, context: Context) =>
    (await wordsOf(now, set, context))?.fix ?? null,
});
