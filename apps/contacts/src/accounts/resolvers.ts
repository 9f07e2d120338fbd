import { AccountId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { loadById, type PageArguments, toConnection } from '@manifold/subgraph';
import { readListArguments } from '../lists/arguments.ts';
import { cursorOf } from '../lists/rules.ts';
import { countAccounts, listAccountPage } from '../lists/store.ts';
import { type Context, recordOf } from '../loaders.ts';
import { recordUrl } from '../sources/rules.ts';
import type { Account, Db } from '../store.ts';
import { readKeys } from '../variables/arguments.ts';
import { viewVariable, viewVariables } from '../variables/rules.ts';

export const createAccountResolvers = ({ db }: { db: Db }) => ({
  Query: {
    accounts: async (_: unknown, args: PageArguments, { workspaceId }: Context) => {
      const { filter, order, page } = readListArguments(args);
      const rows = await withWorkspace(db, workspaceId, (tx) =>
        listAccountPage(tx, workspaceId, { filter, order, page }),
      );
      return {
        ...toConnection(rows, page, (row) => cursorOf(order, row)),
        // counted only when asked for
        totalCount: () =>
          withWorkspace(db, workspaceId, (tx) => countAccounts(tx, workspaceId, filter)),
      };
    },
    account: (_: unknown, { id }: { id: string }, { loaders }: Context) =>
      loadById(AccountId, id, (known) => loaders.accounts.load(known)),
  },
  Account: {
    __resolveReference: ({ id }: { id: string }, { loaders }: Context) =>
      loadById(AccountId, id, (known) => loaders.accounts.load(known)),
    name: ({ name }: Account) => name || null,
    variables: async ({ values }: Account, args: unknown, { loaders }: Context) => {
      const wanted = readKeys(args);
      const all = viewVariables(values, await loaders.variables.load('organization'));
      return wanted === undefined ? all : all.filter(({ key }) => wanted.has(key));
    },
    variable: async ({ values }: Account, { key }: { key: string }, { loaders }: Context) =>
      viewVariable(key, values, await loaders.variables.load('organization')),
    pipedriveId: async ({ id }: Account, _: unknown, context: Context) =>
      (await recordOf(id, context))?.link.pipedrive_id,
    pipedriveUrl: async ({ id }: Account, _: unknown, context: Context) => {
      const record = await recordOf(id, context);
      return (
        record && recordUrl(record.source.company_url, 'organization', record.link.pipedrive_id)
      );
    },
    connection: async ({ id }: Account, _: unknown, context: Context) => {
      const record = await recordOf(id, context);
      return record && { id: record.source.connection_id };
    },
    dataSource: async ({ id }: Account, _: unknown, context: Context) =>
      (await recordOf(id, context))?.source,
    pipedriveUpdatedAt: async ({ id }: Account, _: unknown, context: Context) =>
      (await recordOf(id, context))?.link.update_time,
    createdAt: (account: Account) => account.created_at,
    updatedAt: (account: Account) => account.updated_at,
  },
});
