import { CloseChangeSet, OpenChangeSet } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { type Responder, respondTo } from '@manifold/messaging';
import { z } from 'zod';
import type { Db } from '../store.ts';
import { closeChangeSet } from './deciding/commands.ts';
import { openChangeSet } from './opening/opening.ts';
import { shownState } from './reading/listing.ts';

const answered = CloseChangeSet.answer.shape.state;

export const createChangeSetResponders = (deps: {
  db: Db;
  now: () => Date;
  /** Tells the worker that there is something to plan. */
  wakeChangeSets: () => void;
}): Responder[] => [
  respondTo(OpenChangeSet, async (question) => {
    const { workspaceId, actor, correlationId, ...opening } = question;
    const asker = { workspaceId, actor, correlationId };
    const asked = { opening: { ...opening, guardRails: opening.guardRails }, asker };
    const { id, repeated } = await withWorkspace(deps.db, workspaceId, (tx) =>
      openChangeSet(tx, asked, deps.now()),
    );
    return { changeSetId: id, repeated };
  }),
  respondTo(CloseChangeSet, async ({ workspaceId, changeSetId }) => {
    const set = await withWorkspace(deps.db, workspaceId, (tx) =>
      closeChangeSet(tx, changeSetId, deps.now()),
    );
    deps.wakeChangeSets();
    return { changeSetId: set.id, state: z.parse(answered, shownState(set.state)) };
  }),
];
