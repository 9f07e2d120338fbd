import { AccountId, ContactId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { loadById, type PageArguments, toConnection } from '@manifold/subgraph';
import { readListArguments } from '../lists/arguments.ts';
import { cursorOf, type EntityFilter } from '../lists/rules.ts';
import { countContacts, listContactPage } from '../lists/store.ts';
import { type Context, recordOf } from '../loaders.ts';
import { recordUrl } from '../sources/rules.ts';
import type { Account, Contact, DataSource, Db } from '../store.ts';
import { readKeys } from '../variables/arguments.ts';
import { channelsOf, viewVariable, viewVariables } from '../variables/rules.ts';

const contact = {
  __resolveReference: ({ id }: { id: string }, { loaders }: Context) =>
    loadById(ContactId, id, (known) => loaders.contacts.load(known)),
  name: ({ name }: Contact) => name || null,
  email: ({ email }: Contact) => email || null,
  phone: ({ phone }: Contact) => phone || null,
  emails: async ({ values, email }: Contact, _: unknown, { loaders }: Context) =>
    channelsOf('email', { values, single: email }, await loaders.variables.load('person')),
  phones: async ({ values, phone }: Contact, _: unknown, { loaders }: Context) =>
    channelsOf('phone', { values, single: phone }, await loaders.variables.load('person')),
  account: ({ account_id: id }: Contact, _: unknown, { loaders }: Context) =>
    id === null ? null : loaders.accounts.load(AccountId.parse(id)),
  variables: async ({ values }: Contact, args: unknown, { loaders }: Context) => {
    const wanted = readKeys(args);
    const all = viewVariables(values, await loaders.variables.load('person'));
    return wanted === undefined ? all : all.filter(({ key }) => wanted.has(key));
  },
  variable: async ({ values }: Contact, { key }: { key: string }, { loaders }: Context) =>
    viewVariable(key, values, await loaders.variables.load('person')),
  pipedriveId: async ({ id }: Contact, _: unknown, context: Context) =>
    (await recordOf(id, context))?.link.pipedrive_id,
  pipedriveUrl: async ({ id }: Contact, _: unknown, context: Context) => {
    const record = await recordOf(id, context);
    return record && recordUrl(record.source.company_url, 'person', record.link.pipedrive_id);
  },
  connection: async ({ id }: Contact, _: unknown, context: Context) => {
    const record = await recordOf(id, context);
    return record && { id: record.source.connection_id };
  },
  dataSource: async ({ id }: Contact, _: unknown, context: Context) =>
    (await recordOf(id, context))?.source,
  pipedriveUpdatedAt: async ({ id }: Contact, _: unknown, context: Context) =>
    (await recordOf(id, context))?.link.update_time,
  createdAt: (contact: Contact) => contact.created_at,
  updatedAt: (contact: Contact) => contact.updated_at,
};

export const createContactResolvers = ({ db }: { db: Db }) => {
  const listContacts = async (
    args: PageArguments,
    { workspaceId }: Context,
    scope: Pick<EntityFilter, 'accountId' | 'dataSourceId'> = {},
  ) => {
    const { filter: given, order, page } = readListArguments(args);
    const filter = { and: [given], ...scope };
    const rows = await withWorkspace(db, workspaceId, (tx) =>
      listContactPage(tx, workspaceId, { filter, order, page }),
    );
    return {
      ...toConnection(rows, page, (row) => cursorOf(order, row)),
      // counted only when asked for
      totalCount: () =>
        withWorkspace(db, workspaceId, (tx) => countContacts(tx, workspaceId, filter)),
    };
  };
  return {
    Query: {
      contacts: (_: unknown, args: PageArguments, context: Context) => listContacts(args, context),
      contact: (_: unknown, { id }: { id: string }, { loaders }: Context) =>
        loadById(ContactId, id, (known) => loaders.contacts.load(known)),
    },
    Account: {
      contacts: (account: Account, args: PageArguments, context: Context) =>
        listContacts(args, context, { accountId: account.id }),
    },
    DataSource: {
      contacts: (source: DataSource, args: PageArguments, context: Context) =>
        listContacts(args, context, { dataSourceId: source.id }),
    },
    Contact: contact,
  };
};
