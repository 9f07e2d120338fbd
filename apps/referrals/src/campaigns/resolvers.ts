import { CampaignId, type VariableValue, type WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  checkCursor,
  checkFilter,
  IdPart,
  loadById,
  type PageArguments,
  readPage,
  type RequestContext,
  requireRole,
  type SortDirection,
  TextPart,
  TimePart,
  toConnection,
} from '@manifold/subgraph';
import type { Loaders } from '../loaders.ts';
import type { Campaign } from '../store.ts';
import { type Deps, launchCampaign, pauseCampaign, saveCampaign } from './commands.ts';
import { SaveArguments, StateArguments } from './input.ts';
import { type CampaignFilter, countCampaigns, listCampaigns } from './store.ts';

type Context = RequestContext & { loaders: Loaders };

interface ListArguments extends PageArguments {
  filter?: CampaignFilter | null;
  orderBy?: { field: 'CREATED_AT' | 'NAME'; direction: SortDirection } | null;
}

async function listPage(deps: Deps, workspaceId: WorkspaceId, args: ListArguments) {
  const { field, direction } = args.orderBy ?? { field: 'CREATED_AT', direction: 'DESC' };
  const filter = args.filter ?? {};
  checkFilter(filter);
  const page = checkCursor(readPage(args), [field === 'CREATED_AT' ? TimePart : TextPart, IdPart]);
  const query = {
    filter,
    orderBy: field === 'NAME' ? ('name' as const) : ('created_at' as const),
    descending: direction === 'DESC',
    page,
  };
  const rows = await withWorkspace(deps.db, workspaceId, (tx) =>
    listCampaigns(tx, workspaceId, query),
  );
  return {
    ...toConnection(rows, page, ({ name, created_at, id }) => [
      field === 'NAME' ? name : created_at.toISOString(),
      id,
    ]),
    totalCount: () =>
      withWorkspace(deps.db, workspaceId, (tx) => countCampaigns(tx, workspaceId, filter)),
  };
}

/** Null for an id of another workspace as for one that is no id. */
const findOne = (id: string, { loaders }: Context) =>
  loadById(CampaignId, id, (known) => loaders.campaigns.load(known));

const viewDefaults = ({ defaults: { rows, catalogue } }: Campaign) =>
  rows.map(({ source, target }) => {
    const field = catalogue.find(
      ({ object, code }) => object === target.object && code === target.field,
    );
    return {
      object: target.object.toUpperCase(),
      field: target.field,
      label: field?.name ?? target.field,
      value: source.object === 'constant' ? viewValue(source.value) : null,
    };
  });

function viewValue(value: VariableValue) {
  if (value === null) return null;
  if (typeof value === 'string') return { text: value };
  if (typeof value === 'number') return { number: value };
  if (typeof value === 'boolean') return { boolean: value };
  if (Array.isArray(value)) return { options: value };
  if ('amount' in value) return { money: { ...value, amount: String(value.amount) } };
  return null;
}

export const createCampaignResolvers = (deps: Deps) => ({
  Query: {
    campaign: (_: unknown, { id }: { id: string }, context: Context) => findOne(id, context),
    campaigns: (_: unknown, args: ListArguments, { workspaceId }: Context) =>
      listPage(deps, workspaceId, args),
  },
  Mutation: {
    saveCampaign: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'ADMIN');
      const id = await saveCampaign(deps, context, SaveArguments.parse(args).input);
      return { campaign: await findOne(id, context) };
    },
    launchCampaign: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'ADMIN');
      const { id } = StateArguments.parse(args).input;
      await launchCampaign(deps, context, id);
      return { campaign: await findOne(id, context) };
    },
    pauseCampaign: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'ADMIN');
      const { id } = StateArguments.parse(args).input;
      await pauseCampaign(deps, context, id);
      return { campaign: await findOne(id, context) };
    },
  },
  Campaign: {
    __resolveReference: ({ id }: { id: string }, context: Context) => findOne(id, context),
    connection: (campaign: Campaign) => ({ id: campaign.connection_id }),
    mapping: ({ mapping_id }: Campaign) => (mapping_id === null ? null : { id: mapping_id }),
    updateExisting: (campaign: Campaign) => campaign.update_existing,
    defaults: viewDefaults,
    formFields: (campaign: Campaign) => campaign.form_fields,
    linkBase: (campaign: Campaign) => campaign.link_base,
    createdAt: (campaign: Campaign) => campaign.created_at,
    updatedAt: (campaign: Campaign) => campaign.updated_at,
  },
});
