import type { ValueSchema } from '../operations.ts';

/** A piece of an OpenAPI document as the YAML parser gives it. */
// oxlint-disable-next-line typescript/no-explicit-any -- the document is read by its own published structure
export type Source = any;

/** Follows `$ref` and folds `allOf` into one schema. */
export function resolveSchema(source: Source, document: Source): Source {
  if (source?.$ref !== undefined) {
    const keys: string[] = source.$ref.slice(2).split('/');
    return resolveSchema(
      keys.reduce((node, key) => node[key], document),
      document,
    );
  }
  if (source?.allOf === undefined) return source;
  const parts: Source[] = source.allOf.map((part: Source) => resolveSchema(part, document));
  const { allOf: _, ...own } = source;
  return Object.assign({}, ...parts, own, {
    properties: Object.assign({}, ...parts.map((part) => part.properties), own.properties),
    required: parts.flatMap((part) => part.required ?? []).concat(own.required ?? []),
  });
}

/** The part of a schema the sandbox validates with. */
export function simplify(source: Source, document: Source): ValueSchema {
  const schema = resolveSchema(source, document);
  const properties = Object.entries(schema.properties ?? {}).map(([key, value]) => [
    key,
    simplify(value, document),
  ]);
  return {
    type: kindOf(schema, properties.length > 0),
    ...(schema.nullable ? { nullable: true } : {}),
    ...(schema.enum ? { enum: schema.enum } : {}),
    ...(schema.maxLength ? { maxLength: schema.maxLength } : {}),
    ...(schema.format === 'date' ? { format: 'date' } : {}),
    ...(schema.items ? { items: simplify(schema.items, document) } : {}),
    ...(properties.length > 0 ? { properties: Object.fromEntries(properties) } : {}),
    ...(schema.required?.length > 0 ? { required: schema.required } : {}),
    ...(schema.additionalProperties ? { open: true } : {}),
  };
}

function kindOf(schema: Source, hasProperties: boolean): ValueSchema['type'] {
  if (hasProperties) return 'object';
  if (schema.type === 'object') return schema.enum ? 'any' : 'object';
  return schema.type ?? 'any';
}
