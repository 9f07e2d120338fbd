import type { ApiKeyId, Role, UserId } from '@manifold/contracts';
import type { RequestContext } from '@manifold/subgraph';
import { createAccountLoaders } from '../src/accounts/loaders.ts';
import { planOf } from '../src/budget/rules.ts';
import { createChangeSetLoaders } from '../src/changes/reading/loaders.ts';
import { createChangeSetResolvers } from '../src/changes/resolvers.ts';
import type { Db } from '../src/store.ts';
import { schemaFiles } from '../src/subgraph.ts';
import { createWriteLoaders, createWriteResolvers } from '../src/writes/resolvers.ts';
import type { World } from './writing.ts';

const plan = planOf({ plan: 'lite', seats: 1, dailyTokens: undefined });

/** What `startTestGraph` needs to answer for the change sets of a world, with another way into its database where given. */
export function setSubgraph(
  world: World,
  wakes: { sender: () => void; worker: () => void },
  db: Db = world.deps.db,
) {
  const { vault, now } = world.deps;
  const deps = { db, vault, plan, now, wake: wakes.sender, wakeChangeSets: wakes.worker };
  return {
    service: 'connections' as const,
    schemaFiles,
    resolvers: [createWriteResolvers(deps), createChangeSetResolvers(deps)],
    loaders: (context: RequestContext) => ({
      ...createAccountLoaders({ db }, context),
      ...createWriteLoaders({ db }, context),
      ...createChangeSetLoaders(deps, context),
    }),
  };
}

export const SET = `id title kind state reason why fix waitsFor hash priceEstimate priceSpent
  expectedSeconds canBeUndone effects { create update none } outcomes { planned applied unchanged }
  counts { reason count } progress { done total } guardRails { maxRecords allowDeletes }
  connection { id } undoes { id } undoneBy { id } cause { type }
  attributedTo { user { id } connection { id } }`;
const CHANGES = `changes(first: 10) { totalCount nodes { id object state effect matchedBy reason
  pipedriveId changedKeys keptKeys fields { code before after } writeStep { id }
  undoes { id } changeSet { id } } }`;
export const PLAN = `mutation ($input: PlanChangeSetInput!) { planChangeSet(input: $input) {
  changeSet { ${SET} } } }`;
export const READ = `query ($id: ID!) { changeSet(id: $id) { ${SET} ${CHANGES} } }`;
export const mutationOf = (name: string, input: string) =>
  `mutation ($input: ${input}!) { ${name}(input: $input) { changeSet { ${SET} } } }`;
export const APPROVE = mutationOf('approveChangeSet', 'ApproveChangeSetInput');
export const UNDO = mutationOf('undoChangeSet', 'UndoChangeSetInput');

export const wantName = (id: number | undefined, name: string) => ({
  object: 'PERSON',
  identity: [{ kind: 'PIPEDRIVE_ID', value: String(id) }],
  fields: [{ code: 'name', value: name }],
});

type Eventually = <Result>(
  assertion: () => Promise<Result>,
  options?: { timeoutMs?: number },
) => Promise<Result>;
/** As loose as a client reads it. */
type Answer = ReturnType<typeof JSON.parse>;
type Graph = (query: string, variables: object, caller: object) => Promise<Answer>;
export interface Who {
  of?: World;
  role?: Role;
  userId?: UserId;
  apiKeyId?: ApiKeyId;
}

/** Ways to plan, watch and decide about change sets as a client of the graph. */
export function createAsking(world: World, graph: Graph, eventually: Eventually) {
  const ask = (
    query: string,
    variables: object,
    { of = world, role = 'OWNER', ...who }: Who = {},
  ): Promise<Answer> => graph(query, variables, { workspaceId: of.workspaceId, role, ...who });
  const planNames = async (
    names: Record<string, number | undefined>,
    more: object = {},
    who: Who = {},
  ) => {
    const changes = Object.entries(names).map(([name, id]) => wantName(id, name));
    const input = { connectionId: world.connection.id, title: 'Names', changes, ...more };
    return ask(PLAN, { input }, who);
  };
  const inState = (states: readonly string[]) => (id: string) =>
    eventually(
      async () => {
        const { data } = await ask(READ, { id });
        const { state, reason, waitsFor } = data.changeSet;
        if (states.includes(state)) return data.changeSet;
        throw new Error(`it is ${state} ${reason} ${waitsFor}`);
      },
      { timeoutMs: 20_000 },
    );
  return {
    ask,
    planNames,
    reached: (id: string, state: string) => inState([state])(id),
    planned: inState(['AWAITING_APPROVAL', 'DONE']),
    ended: inState(['DONE']),
    /** The id of a set that gives names, planned. */
    namesPlanned: async (names: Record<string, number | undefined>, who: Who = {}) => {
      const { data } = await planNames(names, {}, who);
      return inState(['AWAITING_APPROVAL'])(data.planChangeSet.changeSet.id);
    },
  };
}
