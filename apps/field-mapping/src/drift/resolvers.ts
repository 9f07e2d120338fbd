import { FieldMappingId } from '@manifold/contracts';
import { optional, requireRole } from '@manifold/subgraph';
import { z } from 'zod';
import { aboutMapping, type Context, findOne } from '../mappings/about.ts';
import type { Deps } from '../mappings/deps.ts';
import { labelOf } from '../mappings/rules.ts';
import { viewRow } from '../mappings/view.ts';
import type { FieldMapping } from '../store.ts';
import { repairMapping } from './commands.ts';
import { proposeRepair } from './repair/rules.ts';

const RepairArguments = z.object({
  input: z.object({
    id: FieldMappingId,
    rowIds: optional(z.array(z.string().max(100)).max(1000)),
  }),
});

export const createDriftResolvers = (deps: Deps) => ({
  Mutation: {
    repairMapping: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'ADMIN');
      const id = await repairMapping(deps, context, RepairArguments.parse(args).input);
      return { fieldMapping: await findOne(id, context) };
    },
  },
  FieldMapping: {
    drift: async (mapping: FieldMapping, _: unknown, context: Context) => {
      const drift = await context.loaders.drift.load(mapping.id);
      if (drift.length === 0) return [];
      const about = await aboutMapping(mapping, context);
      const { catalogue } = about;
      return drift.map((one) => {
        const row = mapping.rows.find(({ id }) => id === one.row_id);
        const repair = proposeRepair(one.row_id, drift, { working: mapping, catalogue });
        return {
          rowId: one.row_id,
          row: row ? viewRow(row, about) : null,
          label:
            one.before !== null && one.change === 'REMOVED'
              ? one.before
              : labelOf({ object: one.object, field: one.field }, catalogue),
          change: one.change,
          before: one.before,
          after: one.after,
          quarantined: one.quarantined,
          published: one.published,
          since: one.since,
          repair: { ...repair, row: repair.row ? viewRow(repair.row, about) : null },
        };
      });
    },
  },
});
