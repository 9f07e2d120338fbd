import { type ConstDirectiveNode, Kind, parse, valueFromASTUntyped } from 'graphql';
import { z } from 'zod';

const Declaration = z.object({
  /** The query that answers. */
  query: z.string(),
  /** After which events it is asked again. */
  events: z.array(z.string()).min(1),
  /** The argument that names one thing, and where events name it. */
  argument: z.string().exactOptional(),
  key: z.string().exactOptional(),
});
export type Declaration = z.infer<typeof Declaration>;

/** What the services declare with `@follows`, by field of `Subscription`; the gateway knows no field by itself. */
export const readDeclarations = (supergraphSdl: string): ReadonlyMap<string, Declaration> =>
  new Map(
    parse(supergraphSdl).definitions.flatMap((type) => {
      if (type.kind !== Kind.OBJECT_TYPE_DEFINITION || type.name.value !== 'Subscription')
        return [];
      return (type.fields ?? []).flatMap(({ name, directives = [] }) =>
        directives
          .filter((directive) => directive.name.value === 'follows')
          .map((directive) => [name.value, Declaration.parse(valuesOf(directive))] as const),
      );
    }),
  );

const valuesOf = ({ arguments: given = [] }: ConstDirectiveNode) =>
  Object.fromEntries(given.map(({ name, value }) => [name.value, valueFromASTUntyped(value)]));
