import type { Operation, ValueSchema } from '../operations.ts';

/**
 * What Pipedrive documents outside its OpenAPI documents, operation by operation: the v2 migration guide (first and
 * last name of a person, unlinking with null), what is said only in prose (several statuses, the parts of a price)
 * and the changelog entry that introduced the webhook scopes.
 */
export function amend(operation: Operation): Operation {
  const scopes = [...operation.scopes, ...extraScopes(operation)];
  const query = withStatusList(operation);
  const keys = extraKeys(operation);
  if (operation.body?.properties === undefined || keys === undefined)
    return { ...operation, scopes, query };
  return {
    ...operation,
    scopes,
    query,
    body: { ...operation.body, properties: { ...operation.body.properties, ...keys } },
  };
}

function extraScopes({ path, method }: Operation): string[] {
  if (!path.startsWith('/webhooks')) return [];
  return method === 'GET' ? ['webhooks:read', 'webhooks:full'] : ['webhooks:full'];
}

function withStatusList({ path, query }: Operation): Operation['query'] {
  const { status } = query;
  const several = status !== undefined && /^\/deals(\/archived)?$/.test(path);
  return several ? { ...query, status: { ...status, list: true } } : query;
}

/** Properties that null clears, by the path that writes them. */
const CLEARED: [path: RegExp, keys: string[]][] = [
  [/^\/organizations(\/\{id\})?$/, ['address']],
  [/^\/deals(\/\{id\})?$/, ['person_id', 'org_id', 'value', 'expected_close_date']],
  [/^\/stages(\/\{id\})?$/, ['days_to_rotten']],
  [
    /^\/activities(\/\{id\})?$/,
    [
      'deal_id',
      'lead_id',
      'org_id',
      'due_date',
      'due_time',
      'duration',
      'location',
      'public_description',
      'priority',
      'note',
    ],
  ],
];

function extraKeys({ version, path, method, body }: Operation) {
  if (version !== 'v2' || (method !== 'POST' && method !== 'PATCH')) return undefined;
  if (/^\/persons(\/\{id\})?$/.test(path)) {
    const name: ValueSchema = { type: 'string' };
    return { first_name: name, last_name: name, ...nullable(body, ['org_id']) };
  }
  if (/^\/products(\/\{id\})?$/.test(path)) {
    const prices: ValueSchema = { type: 'array', items: { type: 'object', open: true } };
    return { ...nullable(body, ['code', 'description', 'unit', 'category']), prices };
  }
  const cleared = CLEARED.find(([pattern]) => pattern.test(path));
  return cleared && nullable(body, cleared[1]);
}

function nullable(body: ValueSchema | undefined, keys: string[]): Record<string, ValueSchema> {
  const found = keys.flatMap((key) => {
    const schema = body?.properties?.[key];
    return schema === undefined ? [] : [[key, { ...schema, nullable: true as const }] as const];
  });
  return Object.fromEntries(found);
}
