import type { Operation, ValueSchema } from '../operations.ts';

/**
 * What Pipedrive documents outside its OpenAPI documents, operation by operation: the v2 migration guide (first and
 * last name of a person, unlinking with null) and the changelog entry that introduced the webhook scopes.
 */
export function amend(operation: Operation): Operation {
  const scopes = [...operation.scopes, ...extraScopes(operation)];
  const keys = extraKeys(operation);
  if (operation.body?.properties === undefined || keys === undefined)
    return { ...operation, scopes };
  return {
    ...operation,
    scopes,
    body: { ...operation.body, properties: { ...operation.body.properties, ...keys } },
  };
}

function extraScopes({ path, method }: Operation): string[] {
  if (!path.startsWith('/webhooks')) return [];
  return method === 'GET' ? ['webhooks:read', 'webhooks:full'] : ['webhooks:full'];
}

function extraKeys({ version, path, method, body }: Operation) {
  if (version !== 'v2' || (method !== 'POST' && method !== 'PATCH')) return undefined;
  if (/^\/persons(\/\{id\})?$/.test(path)) {
    const name: ValueSchema = { type: 'string' };
    return { first_name: name, last_name: name, ...nullable(body, ['org_id']) };
  }
  if (/^\/organizations(\/\{id\})?$/.test(path)) return nullable(body, ['address']);
  return undefined;
}

function nullable(body: ValueSchema | undefined, keys: string[]): Record<string, ValueSchema> {
  const found = keys.flatMap((key) => {
    const schema = body?.properties?.[key];
    return schema === undefined ? [] : [[key, { ...schema, nullable: true as const }] as const];
  });
  return Object.fromEntries(found);
}
