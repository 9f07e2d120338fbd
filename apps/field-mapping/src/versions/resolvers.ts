import { FieldMappingId, type MergePolicy } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { optional, requireRole } from '@manifold/subgraph';
import { z } from 'zod';
import { aboutMapping, type Context, findOne } from '../mappings/about.ts';
import type { Deps } from '../mappings/deps.ts';
import { viewPolicy, viewRow } from '../mappings/view.ts';
import type { FieldMapping, MappingVersion } from '../store.ts';
import { noVersion, publishMapping, revertMapping } from './commands.ts';
import { compareCopies, type Copy } from './rules.ts';
import { findVersion } from './store.ts';

const Version = optional(z.int().positive());
const PublishArguments = z.object({ input: z.object({ id: FieldMappingId }) });
const RevertArguments = z.object({ input: z.object({ id: FieldMappingId, version: Version }) });
const CompareArguments = z.object({ from: Version, to: Version });

export const createVersionResolvers = (deps: Deps) => ({
  Mutation: {
    publishFieldMapping: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'ADMIN');
      const id = await publishMapping(deps, context, PublishArguments.parse(args).input.id);
      return { fieldMapping: await findOne(id, context) };
    },
    revertFieldMapping: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'ADMIN');
      const id = await revertMapping(deps, context, RevertArguments.parse(args).input);
      return { fieldMapping: await findOne(id, context) };
    },
  },
  FieldMapping: {
    versions: ({ id }: FieldMapping, _: unknown, { loaders }: Context) => loaders.versions.load(id),
    comparison: async (mapping: FieldMapping, args: unknown, context: Context) => {
      const { from, to } = CompareArguments.parse(args);
      const about = await aboutMapping(mapping, context);
      const before = await findCopy(deps, mapping, from);
      const after = to === undefined ? mapping : await findCopy(deps, mapping, to);
      const { added, removed, changed, policy, reordered } = compareCopies(before, after);
      const view = (row: Copy['rows'][number]) => viewRow(row, about);
      return {
        added: added.map(view),
        removed: removed.map(view),
        changed: changed.map((one) => ({ before: view(one.before), after: view(one.after) })),
        policy: policy && viewBoth(policy),
        reordered,
      };
    },
  },
  MappingVersion: {
    publishedAt: (version: Pick<MappingVersion, 'published_at'>) => version.published_at,
  },
});

const viewBoth = ({ before, after }: { before: MergePolicy; after: MergePolicy }) => ({
  before: viewPolicy(before),
  after: viewPolicy(after),
});

/** What a version holds, or the newest; nothing before the first. */
async function findCopy(
  { db }: Deps,
  { workspace_id, id }: FieldMapping,
  version: number | undefined,
): Promise<Copy> {
  const found = await withWorkspace(db, workspace_id, (tx) =>
    findVersion(tx, workspace_id, { mappingId: id, version }),
  );
  if (!found) throw noVersion(id, version);
  return found.source;
}
