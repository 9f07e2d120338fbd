import { AccountId, ContactId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  boundedText,
  checkCursor,
  optional,
  type PageArguments,
  readPage,
  toConnection,
} from '@manifold/subgraph';
import { z } from 'zod';
import type { Context } from '../loaders.ts';
import type { DataSource, Db, SourceActivity, SyncRun } from '../store.ts';
import { countActivities, countSkips, listActivityPage, listSkipPage } from './store.ts';
import { activityKinds } from './tables.ts';

const NumberPart = z.string().regex(/^\d{1,18}$/);
const FeedArguments = z.object({ kinds: optional(z.array(z.enum(activityKinds)).min(1).max(20)) });
const SkipArguments = z.object({ reason: optional(boundedText(64)) });

const readFeedPage = (args: PageArguments) => checkCursor(readPage(args), [NumberPart]);

export const createFeedResolvers = ({ db }: { db: Db }) => ({
  DataSource: {
    activity: async (source: DataSource, args: PageArguments) => {
      const { workspace_id: workspaceId, id: dataSourceId } = source;
      const filter = { dataSourceId, ...FeedArguments.parse(args) };
      const page = readFeedPage(args);
      const rows = await withWorkspace(db, workspaceId, (tx) =>
        listActivityPage(tx, workspaceId, { page, filter }),
      );
      return {
        ...toConnection(rows, page, ({ id }) => [id]),
        totalCount: () =>
          withWorkspace(db, workspaceId, (tx) => countActivities(tx, workspaceId, filter)),
      };
    },
  },
  SyncRun: {
    skips: async (run: SyncRun, args: PageArguments) => {
      const { workspace_id: workspaceId, id: syncRunId } = run;
      const filter = { syncRunId, ...SkipArguments.parse(args) };
      const page = readFeedPage(args);
      const rows = await withWorkspace(db, workspaceId, (tx) =>
        listSkipPage(tx, workspaceId, { page, filter }),
      );
      return {
        ...toConnection(rows, page, ({ id }) => [id]),
        totalCount: () =>
          withWorkspace(db, workspaceId, (tx) => countSkips(tx, workspaceId, filter)),
      };
    },
  },
  SourceActivity: {
    syncRun: ({ sync_run_id: id }: SourceActivity, _: unknown, { loaders }: Context) =>
      id === null ? null : loaders.runs.load(id),
    object: ({ object }: SourceActivity) => object?.toUpperCase(),
    pipedriveId: (activity: SourceActivity) => activity.pipedrive_id,
    contact: ({ object, entity_id: id }: SourceActivity, _: unknown, { loaders }: Context) =>
      object === 'person' && id !== null ? loaders.contacts.load(ContactId.parse(id)) : null,
    account: ({ object, entity_id: id }: SourceActivity, _: unknown, { loaders }: Context) =>
      object === 'organization' && id !== null ? loaders.accounts.load(AccountId.parse(id)) : null,
    changedKeys: (activity: SourceActivity) => activity.changed_keys,
    happenedAt: (activity: SourceActivity) => activity.happened_at,
  },
  RecordSkip: {
    object: ({ object }: SourceActivity) => object?.toUpperCase(),
    pipedriveId: (skip: SourceActivity) => skip.pipedrive_id,
    happenedAt: (skip: SourceActivity) => skip.happened_at,
  },
});
