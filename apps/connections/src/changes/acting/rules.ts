import type { Actor } from '@manifold/contracts';
import type { ChangeSet } from '../store.ts';

/** What a person planned in the graph, or has undone, is done by hand; what a service opened is not. */
export const isByHand = (set: Pick<ChangeSet, 'cause_service'>, { kind }: Actor): boolean =>
  set.cause_service === 'connections' && kind === 'user';
