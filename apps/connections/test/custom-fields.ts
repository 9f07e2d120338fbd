import { z } from 'zod';
import type { createBystander } from './bystander.ts';

/** Codes of our custom fields, and the ids of the two choices of one of them. */
export interface Custom {
  key: string;
  tier: string;
  since: string;
  worth: string;
  gold: number;
  silver: number;
}

const fieldShape = z.object({
  data: z.object({
    field_code: z.string(),
    options: z.array(z.object({ id: z.number() })).nullish(),
  }),
});

/** Makes them in the local Pipedrive: a text, a choice, a date and money. */
export async function makeCustom(
  { call }: ReturnType<typeof createBystander>,
  path: string,
): Promise<Custom> {
  const make = async (field_name: string, field_type: string, more: object = {}) =>
    fieldShape.parse(await call('POST', `/api/v2/${path}`, { field_name, field_type, ...more }))
      .data;
  const tier = await make('Tier', 'enum', { options: [{ label: 'Gold' }, { label: 'Silver' }] });
  const [gold = 0, silver = 0] = (tier.options ?? []).map(({ id }) => id);
  return {
    key: (await make('Shop key', 'varchar')).field_code,
    tier: tier.field_code,
    since: (await make('Customer since', 'date')).field_code,
    worth: (await make('Worth', 'monetary')).field_code,
    ...{ gold, silver },
  };
}
