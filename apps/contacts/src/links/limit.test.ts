import { createTestDatabase, eventually, silentLog, startTestNats } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { openChangeDesk } from '../../test/changes.ts';
import { personOf } from '../../test/records.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
const desk = await openChangeDesk({ db, nats, log: silentLog, eventually });
afterAll(async () => {
  await desk.close();
  await drop();
  await stop();
});

test('fifty records stand behind a contact; the next is refused, and goes on being refused (OR-24)', async () => {
  const person = personOf(1, { email: 'ana@example.com' });
  const arrive = async () => {
    const [applied] = await desk.page('person', [person], await desk.openSource());
    return applied;
  };
  for (let count = 0; count < 50; count += 1) {
    expect(await arrive()).not.toHaveProperty('reason');
  }
  const refused = { outcome: 'skipped', reason: 'association_limit_reached' };
  expect(await arrive()).toMatchObject(refused);
  expect(await arrive()).toMatchObject(refused);
  expect(await desk.contacts()).toHaveLength(1);
  expect(await desk.links()).toHaveLength(50);
});
