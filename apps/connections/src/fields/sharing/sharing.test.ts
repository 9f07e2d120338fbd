import type { FieldDefinition } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createWorld } from '../../../test/writing.ts';
import { insertConnection } from '../../accounts/store.ts';
import { connectionRow } from '../../../test/rows.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { readDueCatalogues } from '../commands.ts';
import { keepCatalogue } from '../keeping.ts';
import { CATALOGUED } from '../rules.ts';

const DAY_MS = 86_400_000;
const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const { workspaceId, connection: organization } = world;
const personal = connectionRow(workspaceId, { kind: 'PERSONAL', pipedrive_user_id: '9' });
const firstDay = new Date(Date.now() - DAY_MS - 1_000);
let time = firstDay;
const deps = { db, log: silentLog, now: () => time };

afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('what two connections to a company saw alike is read once a day for both, and what differed by each', async () => {
  await withWorkspace(db, workspaceId, (tx) => insertConnection(tx, personal));
  await readDueCatalogues(deps, await clientOf(), organization);
  await readDueCatalogues(deps, await clientOf(), personal);
  expect(await countReadings()).toBe(2 * CATALOGUED.length);
  // its user sees a field of persons the other does not
  const fields = [extra];
  await keepCatalogue(deps, personal, { object: 'person', fields, askedAt: time });

  time = new Date(firstDay.getTime() + DAY_MS);
  await readDueCatalogues(deps, await clientOf(), organization);
  expect(await countReadings()).toBe(3 * CATALOGUED.length);
  await readDueCatalogues(deps, await clientOf(), personal);
  expect(await countReadings()).toBe(3 * CATALOGUED.length + 1);
});

// builders

const extra: FieldDefinition = {
  object: 'person',
  code: 'f'.repeat(40),
  name: 'Extra',
  type: 'varchar',
  custom: true,
};

const clientOf = () =>
  world.deps.clientFor(workspaceId, organization.id, {
    lane: 'event',
    feature: 'field_catalogue',
  });

/** One per list of fields; labels and choices come with them. */
async function countReadings(): Promise<number> {
  const response = await fetch(`${pipedrive.controlUrl}/requests?limit=5000`);
  const seen: unknown = JSON.parse(await response.text());
  return [...JSON.stringify(seen).matchAll(/\/\w+Fields\b/g)].length;
}
