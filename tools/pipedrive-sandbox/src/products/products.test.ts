import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterAll(() => sandbox.stop());

const make = (body: object) => sandbox.call('POST', '/api/v2/products', { name: 'P', ...body });

test('a product without prices costs nothing in the account’s currency', async () => {
  const { status, body } = await make({});
  expect(status).toBe(201);
  expect(body.data.prices).toMatchObject([{ product_id: body.data.id, price: 0, currency: 'EUR' }]);
});

test('PATCH replaces the whole list of prices', async () => {
  const prices = [
    { price: 1, currency: 'EUR' },
    { price: 2, currency: 'USD' },
  ];
  const { id } = (await make({ prices })).body.data;
  const path = `/api/v2/products/${id}`;
  const patch = { prices: [{ price: 3, currency: 'USD', cost: 1 }] };
  const { data } = (await sandbox.call('PATCH', path, patch)).body;
  expect(data.prices).toMatchObject([{ product_id: id, price: 3, currency: 'USD', cost: 1 }]);
});

test.each([
  ['no name', { name: '' }],
  ['two prices in one currency', { prices: [price('EUR'), price('EUR')] }],
  ['a price without currency', { prices: [{ price: 1 }] }],
  ['an unknown part of a price', { prices: [{ ...price('EUR'), colour: 'red' }] }],
  ['an unknown billing frequency', { billing_frequency: 'daily' }],
  ['an unknown owner', { owner_id: 1 }],
])('a product with %s is refused', async (_, body) => {
  expect((await make(body)).status).toBe(400);
});

function price(currency: string) {
  return { price: 1, currency };
}

test('products have custom fields and list by name', async () => {
  const { fields } = (await sandbox.call('POST', '/control/generate', { seed: 1 })).body;
  const code = fields.product.double;
  const made = (await make({ name: 'Aaa', custom_fields: { [code]: 1.5 } })).body.data;
  expect(made.custom_fields[code]).toBe(1.5);
  const { body } = await sandbox.call('GET', '/api/v2/products?sort_by=name&limit=1');
  expect(body.data[0].id).toBe(made.id);
  const next = `/api/v2/products?sort_by=name&cursor=${body.additional_data.next_cursor}`;
  expect((await sandbox.call('GET', next)).body.data).not.toContainEqual(
    expect.objectContaining({ id: made.id }),
  );
});
