import { boundedText, optional } from '@manifold/subgraph';
import { z } from 'zod';
import type { Context } from '../mappings/about.ts';
import type { Deps } from '../mappings/deps.ts';
import { capitals } from '../mappings/view.ts';
import { chooseDisplay, readDisplay } from './commands.ts';
import type { DisplayField, FieldSource } from './rules.ts';

const object = z.enum(['CONTACT', 'ACCOUNT']);
const ReadArguments = z.object({ object });
const ChooseArguments = z.object({
  input: z.object({ object, fields: optional(z.array(boundedText(64)).max(1000)) }),
});

const viewerOf = ({ workspaceId, identity: { userId } }: Context) => ({ workspaceId, userId });

export const createDisplayResolvers = (deps: Deps) => ({
  Query: {
    displayConfig: (_: unknown, args: unknown, context: Context) =>
      readDisplay(deps, viewerOf(context), ReadArguments.parse(args).object),
  },
  Mutation: {
    setDisplayConfig: async (_: unknown, args: unknown, context: Context) => {
      const { input } = ChooseArguments.parse(args);
      await chooseDisplay(deps, viewerOf(context), input);
      return { displayConfig: await readDisplay(deps, viewerOf(context), input.object) };
    },
  },
  DisplayField: {
    type: ({ type }: DisplayField) => capitals(type),
  },
  DisplayFieldSource: {
    connection: ({ connectionId }: FieldSource) => ({ id: connectionId }),
    fieldMapping: ({ mappingId }: FieldSource, _: unknown, { loaders }: Context) =>
      loaders.mappings.load(mappingId),
  },
});
