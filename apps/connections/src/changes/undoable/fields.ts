import type { ChangeSetContext as Context } from '../reading/loaders.ts';
import type { ChangeSet } from '../store.ts';
import { decideUndoable } from './rules.ts';

/** What a set takes back, what takes it back, and whether anything can. */
export const createUndoFields = ({ now }: { now: () => Date }) => ({
  undoes: ({ undoes_id }: ChangeSet, _: unknown, { loaders }: Context) =>
    undoes_id === null ? null : loaders.changeSets.load(undoes_id),
  undoneBy: async ({ id }: ChangeSet, _: unknown, { loaders }: Context) =>
    (await loaders.undosOfSet.load(id))[0] ?? null,
  canBeUndone: async (set: ChangeSet, _: unknown, { loaders }: Context) => {
    const [tallies, undos, connection] = await Promise.all([
      loaders.changeTallies.load(set.id),
      loaders.undosOfSet.load(set.id),
      loaders.connections.load(set.connection_id),
    ]);
    const around = { tallies, undos, isConnected: connection !== null };
    return decideUndoable(set, around, now()).outcome === 'yes';
  },
});
