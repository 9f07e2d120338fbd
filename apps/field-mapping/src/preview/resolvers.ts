import { requireRole } from '@manifold/subgraph';
import { aboutOf, byObject, type Context } from '../mappings/about.ts';
import type { Deps } from '../mappings/deps.ts';
import { labelOf } from '../mappings/rules.ts';
import { viewRow, viewValue } from '../mappings/view.ts';
import { previewMapping } from './commands.ts';
import { PreviewArguments } from './input.ts';

export const createPreviewResolvers = (deps: Deps) => ({
  Query: {
    previewMapping: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'MEMBER');
      const { input } = PreviewArguments.parse(args);
      const preview = await previewMapping(deps, context.workspaceId, input);
      const about = aboutOf(preview.working, byObject(preview.catalogue));
      const target = input.object === 'PERSON' ? 'contact' : 'account';
      return {
        object: input.object,
        recordId: preview.record?.id ?? null,
        costTokens: preview.costTokens,
        outcome: preview.outcome?.toUpperCase() ?? null,
        missing: preview.missing,
        rows: preview.rows.map(({ row, ...one }) => ({
          ...one,
          row: viewRow(row, about),
          sample: viewValue(one.sample),
          mapped: viewValue(one.mapped),
          losses: one.losses,
        })),
        fields: preview.fields.map((one) => ({
          ...one,
          label: labelOf({ object: target, field: one.field, type: 'text' }, []),
          before: viewValue(one.before),
          after: viewValue(one.after),
        })),
      };
    },
  },
});
