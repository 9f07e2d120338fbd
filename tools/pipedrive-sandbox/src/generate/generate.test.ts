import { expect, test } from 'vitest';
import { CREATABLE_TYPES } from '../fields/field.ts';
import { startTestSandbox } from '../testing/sandbox.ts';

async function generated(seed: number) {
  const sandbox = await startTestSandbox();
  const size = { seed, persons: 300, organizations: 40, leads: 10 };
  const { fields } = (await sandbox.call('POST', '/control/generate', size)).body;
  const read = async (path: string) => (await sandbox.call('GET', path)).body.data;
  const result = {
    fields,
    persons: await read('/api/v2/persons?limit=500'),
    organizations: await read('/api/v2/organizations?limit=500'),
    leads: await read('/v1/leads?limit=500'),
    definitions: await read('/api/v2/personFields?limit=500'),
  };
  await sandbox.stop();
  return result;
}

test('the same seed makes the same records, another seed others', async () => {
  const [one, again, other] = [await generated(1), await generated(1), await generated(2)];
  expect(again.persons).toEqual(one.persons);
  expect(again.organizations).toEqual(one.organizations);
  expect(again.leads).toEqual(one.leads);
  expect(other.persons).not.toEqual(one.persons);
});

test('every creatable type has a field with values and with gaps, on persons and organizations', async () => {
  const { fields, persons, organizations } = await generated(4);
  for (const [entity, records] of [
    ['person', persons],
    ['organization', organizations],
  ] as const) {
    expect(Object.keys(fields[entity])).toEqual([...CREATABLE_TYPES]);
    for (const type of CREATABLE_TYPES) {
      const values = records.map((record: { custom_fields: Record<string, unknown> }) => {
        return record.custom_fields[fields[entity][type]];
      });
      expect([type, values.some((value: unknown) => value === null)]).toEqual([type, true]);
      expect([type, values.some((value: unknown) => value !== null)]).toEqual([type, true]);
    }
  }
  expect(Object.keys(fields.deal)).toEqual([...CREATABLE_TYPES]);
});

test('persons have none, one or several e-mails, and most belong to an organization', async () => {
  const { persons } = await generated(4);
  const counts = new Set(persons.map((person: { emails: unknown[] }) => person.emails.length));
  expect(counts).toEqual(new Set([0, 1, 2, 3]));
  const linked = persons.filter((person: { org_id: number | null }) => person.org_id !== null);
  expect(linked.length).toBeGreaterThan(200);
  expect(linked.length).toBeLessThan(300);
});

test('deals, products, activities and notes hang on what was generated before them', async () => {
  const sandbox = await startTestSandbox();
  const size = { seed: 6, persons: 20, organizations: 5, deals: 30, products: 10 };
  await sandbox.call('POST', '/control/generate', { ...size, activities: 30, notes: 20 });
  const { counts } = (await sandbox.call('GET', '/control/state')).body;
  expect(counts).toMatchObject({ deals: 30, products: 10, activities: 30, notes: 20 });
  const { data } = (await sandbox.call('GET', '/api/v2/deals?limit=500')).body;
  const persons = data.map((deal: { person_id: number | null }) => deal.person_id);
  expect(persons.every((id: number | null) => id === null || id <= 20)).toBe(true);
  expect(persons.filter(Boolean).length).toBeGreaterThan(10);
  const products = (await sandbox.call('GET', '/api/v2/products')).body.data;
  const { code } = products.find((product: { code: string | null }) => product.code !== null);
  const search = `/api/v2/products/search?term=${code}&exact_match=true`;
  const found = await sandbox.call('GET', search);
  expect(found.body.data.items).toHaveLength(1);
  const [noted] = (await sandbox.call('GET', '/v1/notes?limit=1')).body.data;
  expect(noted.content).toMatch(/^<p>/);
  await sandbox.stop();
});

test('ten thousand persons and two thousand organizations take three seconds of one core at most', async () => {
  const sandbox = await startTestSandbox();
  const start = process.threadCpuUsage();
  await sandbox.call('POST', '/control/generate', {
    seed: 1,
    persons: 10_000,
    organizations: 2_000,
  });
  const { user, system } = process.threadCpuUsage(start);
  expect((user + system) / 1_000).toBeLessThan(3_000);
  const { counts } = (await sandbox.call('GET', '/control/state')).body;
  expect(counts).toMatchObject({ persons: 10_000, organizations: 2_000 });
  await sandbox.call('POST', '/control/reset');
  expect((await sandbox.call('GET', '/api/v2/persons')).body.data).toEqual([]);
  await sandbox.stop();
}, 20_000);
