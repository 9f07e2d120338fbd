import { ConnectionId, PipedriveObject } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  checkCursor,
  loadById,
  optional,
  type PageArguments,
  readPage,
  type RequestContext,
  type Resolvers,
  toConnection,
} from '@manifold/subgraph';
import { z } from 'zod';
import { requireFound } from '../../accounts/rules.ts';
import type { Connection } from '../../accounts/tables.ts';
import type { Db } from '../../store.ts';
import { type CatalogueDifference, type DifferenceKind, DIFFERENCE_KINDS } from '../rules.ts';
import { countFieldChanges, listFieldChanges } from './store.ts';
import type { FieldChange } from './tables.ts';

type Context = RequestContext & {
  loaders: { connections: { load(id: ConnectionId): Promise<Connection | null> } };
};

const inGraph = (kind: DifferenceKind): string => kind.toUpperCase();

const Kind = z
  .enum(DIFFERENCE_KINDS.map(inGraph))
  .transform((kind) => DIFFERENCE_KINDS.find((known) => inGraph(known) === kind) ?? 'added');

const Arguments = z.object({
  connectionId: z.string(),
  filter: optional(
    z.object({
      object: optional(z.array(PipedriveObject).max(8)),
      kind: optional(z.array(Kind).max(DIFFERENCE_KINDS.length)),
    }),
  ),
});

/** A bigint within a cursor. */
const NumberPart = z.string().regex(/^\d{1,18}$/);

interface Shown {
  object: PipedriveObject;
  kind: string;
  fieldCode: string;
  fieldName: string;
  optionId: string | null;
  before: string | null;
  after: string | null;
  revision: number;
  foundAt: Date;
}

const toShown = (change: FieldChange): Shown => ({
  object: change.object,
  kind: inGraph(change.kind),
  fieldCode: change.field_code,
  fieldName: change.field_name,
  optionId: change.option_id,
  before: change.before,
  after: change.after,
  revision: change.revision,
  foundAt: change.found_at,
});

export const createFieldChangeResolvers = ({
  db,
  now,
}: {
  db: Db;
  now: () => Date;
}): Resolvers => ({
  Query: {
    fieldChanges: async (_: unknown, given: PageArguments, context: Context) => {
      const { connectionId: id, filter } = Arguments.parse(given);
      const found = await loadById(ConnectionId, id, (known) =>
        context.loaders.connections.load(known),
      );
      const { id: connectionId } = requireFound(found, id, 'connectionId');
      const page = checkCursor(readPage(given), [NumberPart]);
      const wanted = { connectionId, objects: filter?.object, kinds: filter?.kind };
      const scoped = <Result>(list: (tx: Db) => Promise<Result>) =>
        withWorkspace(db, context.workspaceId, list);
      const rows = await scoped((tx) => listFieldChanges(tx, wanted, page));
      const listed = toConnection(rows, page, ({ number }) => [number]);
      return {
        ...listed,
        edges: listed.edges.map(({ node, cursor }) => ({ node: toShown(node), cursor })),
        nodes: listed.nodes.map(toShown),
        totalCount: () => scoped((tx) => countFieldChanges(tx, wanted)),
      };
    },
  },
  PipedriveFieldChange: {
    differences: (
      reading: CatalogueDifference & { object: PipedriveObject; revision: number },
    ): Shown[] =>
      reading.differences.map(({ kind, code, name, ...difference }) => ({
        ...difference,
        object: reading.object,
        kind: inGraph(kind),
        fieldCode: code,
        fieldName: name,
        revision: reading.revision,
        foundAt: now(),
      })),
  },
});
