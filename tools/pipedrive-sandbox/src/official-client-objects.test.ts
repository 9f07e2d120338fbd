import * as v1 from 'pipedrive/v1';
import * as v2 from 'pipedrive/v2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from './index.ts';

let sandbox: Sandbox;
let first: v1.Configuration;
let second: v2.Configuration;
let personId: number;
let organizationId: number;

beforeAll(async () => {
  sandbox = await startSandbox({ searchLagMs: 0 });
  first = new v1.Configuration({ apiKey: sandbox.apiToken, basePath: `${sandbox.url}/v1` });
  second = new v2.Configuration({ apiKey: sandbox.apiToken, basePath: `${sandbox.url}/api/v2` });
  const person = await new v2.PersonsApi(second).addPerson({ AddPersonRequest: { name: 'Ann' } });
  const organization = await new v2.OrganizationsApi(second).addOrganization({
    AddOrganizationRequest: { name: 'Acme' },
  });
  personId = person.data?.id ?? 0;
  organizationId = organization.data?.id ?? 0;
});
afterAll(() => sandbox.stop());

async function makeDeal(title: string): Promise<number> {
  const deals = new v2.DealsApi(second);
  const created = await deals.addDeal({ AddDealRequest: { title, person_id: personId } });
  return created.data?.id ?? 0;
}

test('deals: create, get, list, update, search, archive, delete', async () => {
  const deals = new v2.DealsApi(second);
  const id = await makeDeal('A deal');
  const changed = await deals.updateDeal({
    id,
    UpdateDealRequest: { value: 250, currency: 'USD', org_id: organizationId, stage_id: 2 },
  });
  expect(changed.data).toMatchObject({ value: 250, currency: 'USD', stage_id: 2, pipeline_id: 1 });
  expect((await deals.getDeal({ id })).data).toMatchObject({ status: 'open', origin: 'API' });
  const listed = await deals.getDeals({ person_id: personId, stage_id: 2, status: 'open' });
  expect(listed.data?.map((deal) => deal.id)).toEqual([id]);
  const found = await deals.searchDeals({ term: 'a deal', exact_match: true });
  expect(found.data?.items?.[0]?.item).toMatchObject({ id, stage: { name: 'Contact Made' } });

  await deals.updateDeal({ id, UpdateDealRequest: { is_archived: true } });
  expect((await deals.getArchivedDeals({})).data?.map((deal) => deal.id)).toEqual([id]);
  expect((await deals.deleteDeal({ id })).data).toEqual({ id });
});

test('products and the products of a deal', async () => {
  const products = new v2.ProductsApi(second);
  const made = await products.addProduct({
    AddProductRequest: { name: 'Pencil', code: 'P-1', prices: [{ price: 5, currency: 'EUR' }] },
  });
  const product_id = made.data?.id ?? 0;
  expect(made.data?.prices).toEqual([
    { product_id, price: 5, currency: 'EUR', cost: 0, direct_cost: null, notes: '' },
  ]);
  await products.updateProduct({ id: product_id, UpdateProductRequest: { unit: 'box' } });
  expect((await products.getProduct({ id: product_id })).data?.unit).toBe('box');
  expect((await products.getProducts({ sort_by: 'name' })).data).toHaveLength(1);
  const found = await products.searchProducts({ term: 'p-1', fields: 'code' });
  expect(found.data?.items?.[0]?.item).toMatchObject({ name: 'Pencil', code: 'P-1' });

  const deals = new v2.DealsApi(second);
  const id = await makeDeal('With products');
  const lines = new v2.DealProductsApi(second);
  const attached = await lines.addDealProduct({
    id,
    AddDealProductRequest: { product_id, item_price: 10, quantity: 3 },
  });
  expect(attached.data).toMatchObject({ sum: 30, name: 'Pencil' });
  expect((await deals.getDeal({ id })).data?.value).toBe(30);
  expect((await lines.getDealProducts({ id })).data).toHaveLength(1);
  await lines.deleteDealProduct({ id, product_attachment_id: attached.data?.id ?? 0 });
  expect((await lines.getDealProducts({ id })).data).toEqual([]);
  expect((await products.deleteProduct({ id: product_id })).data).toEqual({ id: product_id });
});

test('activities and their types', async () => {
  const activities = new v2.ActivitiesApi(second);
  const types = await new v1.ActivityTypesApi(first).getActivityTypes();
  expect(types.data?.map((type) => type.key_string)).toContain('lunch');
  const created = await activities.addActivity({
    AddActivityRequest: {
      subject: 'Call Ann',
      type: 'call',
      due_date: '2026-03-01',
      due_time: '09:30',
      participants: [{ person_id: personId }],
    },
  });
  const id = created.data?.id ?? 0;
  expect(created.data).toMatchObject({ person_id: personId, due_time: '09:30:00', done: false });
  const changed = await activities.updateActivity({ id, AddActivityRequest: { done: true } });
  expect(changed.data?.marked_as_done_time).toEqual(expect.any(String));
  const done = await activities.getActivities({ person_id: personId, done: true });
  expect(done.data?.map((activity) => activity.id)).toEqual([id]);
  expect((await activities.getActivity({ id })).data?.subject).toBe('Call Ann');
  expect((await activities.deleteActivity({ id })).data).toEqual({ id });
});

test('pipelines and stages', async () => {
  const pipelines = new v2.PipelinesApi(second);
  const stages = new v2.StagesApi(second);
  const made = await pipelines.addPipeline({ AddPipelineRequest: { name: 'Renewals' } });
  const pipeline_id = made.data?.id ?? 0;
  const stage = await stages.addStage({ AddStageRequest: { name: 'Due', pipeline_id } });
  const id = stage.data?.id ?? 0;
  expect(stage.data).toMatchObject({ order_nr: 1, deal_probability: 100 });
  await stages.updateStage({ id, UpdateStageRequest: { name: 'Overdue' } });
  expect((await stages.getStage({ id })).data?.name).toBe('Overdue');
  const listed = await stages.getStages({ pipeline_id, sort_by: 'order_nr' });
  expect(listed.data).toHaveLength(1);
  expect((await stages.deleteStage({ id })).data).toEqual({ id });
  await pipelines.updatePipeline({ id: pipeline_id, UpdatePipelineRequest: { name: 'Old' } });
  expect((await pipelines.getPipeline({ id: pipeline_id })).data?.name).toBe('Old');
  await pipelines.deletePipeline({ id: pipeline_id });
  expect((await pipelines.getPipelines({})).data?.map(({ name }) => name)).toEqual(['Pipeline']);
});

test('notes: create, list, update, delete', async () => {
  const notes = new v1.NotesApi(first);
  const created = await notes.addNote({
    AddNoteRequest: { content: '<b>Hello</b>', person_id: personId },
  });
  const id = created.data?.id ?? 0;
  expect(created.data).toMatchObject({ person: { name: 'Ann' }, active_flag: true });
  await notes.updateNote({ id, NoteRequest: { content: 'Bye', pinned_to_person_flag: 1 } });
  expect((await notes.getNote({ id })).data).toMatchObject({
    content: 'Bye',
    pinned_to_person_flag: true,
  });
  expect((await notes.getNotes({ person_id: personId })).data).toHaveLength(1);
  await notes.deleteNote({ id });
  expect((await notes.getNotes({ person_id: personId })).data).toEqual([]);
});

test('merging, the changelog and searches over everything', async () => {
  const persons = new v2.PersonsApi(second);
  const other = await persons.addPerson({ AddPersonRequest: { name: 'Annie Twin' } });
  const merged = await new v1.PersonsApi(first).mergePersons({
    id: other.data?.id ?? 0,
    MergePersonsRequest: { merge_with_id: personId },
  });
  expect(merged.data).toMatchObject({ id: personId, merge_what_id: other.data?.id });

  await persons.updatePerson({ id: personId, UpdatePersonRequest: { name: 'Ann Doe' } });
  const log = await new v1.PersonsApi(first).getPersonChangelog({ id: personId });
  expect(log.data).toContainEqual(
    expect.objectContaining({ field_key: 'name', old_value: 'Ann', new_value: 'Ann Doe' }),
  );
  const items = await new v2.ItemSearchApi(second).searchItem({ term: 'ann doe' });
  expect(items.data?.items?.[0]?.item).toMatchObject({ type: 'person', id: personId });
});

test('fields of products, activities and notes', async () => {
  const products = new v2.ProductFieldsApi(second);
  const made = await products.addProductField({
    AddProductFieldRequest: { field_name: 'Colour', field_type: 'varchar' },
  });
  const code = made.data?.field_code ?? '';
  const codes = (await products.getProductFields()).data?.map((field) => field.field_code);
  expect(codes).toEqual(expect.arrayContaining(['code', 'prices', code]));
  await products.deleteProductField({ field_code: code });
  const activities = await new v2.ActivityFieldsApi(second).getActivityFields({ limit: 500 });
  expect(activities.data?.map((field) => field.field_code)).toContain('due_date');
  const notes = await new v1.NoteFieldsApi(first).getNoteFields();
  expect(notes.data?.map((field) => field.key)).toContain('pinned_to_deal_flag');
});
