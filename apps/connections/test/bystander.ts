import type { RecordObject } from '@manifold/pipedrive';
import { z } from 'zod';
import type { Pipedrive } from './writing.ts';

const anyRecord = z.looseObject({ id: z.union([z.number(), z.string()]) });
const record = z.object({ data: anyRecord }).transform(({ data }) => data);
const records = z
  .object({ data: z.array(anyRecord).nullable() })
  .transform(({ data }) => data ?? []);
const requests = z.array(
  z.object({
    method: z.string(),
    path: z.string(),
    operationId: z.string().nullable(),
    price: z.number(),
    status: z.number().nullable(),
  }),
);
const ledger = z.object({
  tokens: z.number(),
  operations: z.array(
    z.object({ operation: z.string(), requests: z.number(), tokens: z.number() }),
  ),
});

/** Where Pipedrive keeps what can be written. */
export const paths: Record<RecordObject, string> = {
  person: '/api/v2/persons',
  organization: '/api/v2/organizations',
  deal: '/api/v2/deals',
  lead: '/api/v1/leads',
  activity: '/api/v2/activities',
  note: '/api/v1/notes',
  product: '/api/v2/products',
};

/** Talks to the local Pipedrive as anybody could. */
export const createBystander = (pipedrive: Pipedrive) => {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${pipedrive.url}${path}`, {
      method,
      headers: { 'x-api-token': pipedrive.apiToken, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}`);
    return response.json();
  };
  return {
    call,
    list: async (object: RecordObject) =>
      records.parse(await call('GET', `${paths[object]}?limit=500`)),
    read: async (object: RecordObject, id: string | null | undefined) =>
      record.parse(await call('GET', `${paths[object]}/${id}`)),
    create: async (object: RecordObject, body: unknown) =>
      record.parse(await call('POST', paths[object], body)),
    fault: (kind: string, match: { method?: string; path?: string; event?: string }, times = 1) =>
      fetch(`${pipedrive.controlUrl}/faults`, {
        method: 'POST',
        body: JSON.stringify({ kind, match, times }),
      }),
    requests: async () => requests.parse(await call('GET', '/control/requests?limit=5000')),
    ledger: async () => ledger.parse(await call('GET', '/control/ledger')),
    reset: async () => {
      await fetch(`${pipedrive.controlUrl}/faults`, { method: 'DELETE' });
      await call('POST', '/control/reset', {});
    },
  };
};
