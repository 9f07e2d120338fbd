import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

let sandbox: TestSandbox;
let ann: number;
let bob: number;

beforeAll(async () => {
  sandbox = await startTestSandbox();
  const person = async (name: string) =>
    (await sandbox.call('POST', '/api/v2/persons', { name })).body.data.id;
  [ann, bob] = [await person('Ann'), await person('Bob')];
});
afterAll(() => sandbox.stop());

const make = (body: object) => sandbox.call('POST', '/api/v2/activities', body);

test('the person of an activity is its primary participant, by default the first', async () => {
  const participants = [{ person_id: ann }, { person_id: bob }];
  const { data } = (await make({ subject: 'S', participants })).body;
  expect(data.person_id).toBe(ann);
  const path = `/api/v2/activities/${data.id}`;
  const patch = { participants: [{ person_id: ann }, { person_id: bob, primary: true }] };
  const changed = (await sandbox.call('PATCH', path, patch)).body.data;
  expect([changed.person_id, changed.participants.length]).toEqual([bob, 2]);
  const cleared = (await sandbox.call('PATCH', path, { participants: [] })).body.data;
  expect(cleared.person_id).toBeNull();
});

test('done is timed, and undone clears the time', async () => {
  const { data } = (await make({ done: true })).body;
  expect(data.marked_as_done_time).not.toBeNull();
  const path = `/api/v2/activities/${data.id}`;
  const undone = (await sandbox.call('PATCH', path, { done: false })).body.data;
  expect([undone.done, undone.marked_as_done_time]).toEqual([false, null]);
});

test('times gain their seconds, and null clears a date', async () => {
  const { data } = (await make({ due_date: '2026-02-03', due_time: '09:30', duration: '00:15' }))
    .body;
  expect(data).toMatchObject({ due_time: '09:30:00', duration: '00:15:00' });
  const path = `/api/v2/activities/${data.id}`;
  expect((await sandbox.call('PATCH', path, { due_date: null })).body.data.due_date).toBeNull();
});

test('attendees are shown when asked for', async () => {
  const attendees = [{ email: 'guest@example.com', name: 'Guest' }];
  const { data } = (await make({ attendees })).body;
  expect(data).not.toHaveProperty('attendees');
  const path = `/api/v2/activities/${data.id}?include_fields=attendees`;
  expect((await sandbox.call('GET', path)).body.data.attendees).toEqual(attendees);
});

test.each([
  ['an unknown type', { type: 'dance' }],
  ['a person in its place', { person_id: 1 }],
  ['two primary participants', { participants: [primary(1), primary(2)] }],
  ['a participant that does not exist', { participants: [{ person_id: 999 }] }],
  ['a deal that does not exist', { deal_id: 999 }],
  ['a lead that does not exist', { lead_id: 'nope' }],
  ['a date that does not exist', { due_date: '2026-02-30' }],
  ['a time that is none', { due_time: 'noon' }],
])('an activity with %s is refused', async (_, body) => {
  expect((await make(body)).status).toBe(400);
});

function primary(id: number) {
  return { person_id: id, primary: true };
}

test('lists sort by due date and filter by deal and done', async () => {
  const deal = (await sandbox.call('POST', '/api/v2/deals', { title: 'D' })).body.data;
  const due = async (due_date: string, done = false) =>
    (await make({ deal_id: deal.id, due_date, done })).body.data.id;
  const [late, early] = [await due('2026-05-01'), await due('2026-04-01')];
  await due('2026-03-01', true);
  const query = `deal_id=${deal.id}&done=false&sort_by=due_date`;
  const { data } = (await sandbox.call('GET', `/api/v2/activities?${query}`)).body;
  expect(data.map((activity: { id: number }) => activity.id)).toEqual([early, late]);
  const path = `/api/v2/deals/${deal.id}?include_fields=next_activity_id,activities_count`;
  expect((await sandbox.call('GET', path)).body.data).toMatchObject({
    next_activity_id: early,
    activities_count: 3,
  });
});
