import { UserId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { createWorld } from '../../../test/writing.ts';
import { estimateJob } from '../../budget/estimates/pricing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { createField } from './commands.ts';
import { createFieldOptions } from './options.ts';
import { ownerOf } from './rules.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const bystander = createBystander(pipedrive);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const { workspaceId, connection } = world;
const client = await world.deps.clientFor(workspaceId, connection.id, {
  ...{ lane: 'interactive', feature: 'fields' },
});

afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test.each(['person', 'organization', 'deal', 'lead', 'product'] as const)(
  'making a field of a %s, and choices of it, takes what was estimated, to the token',
  async (named) => {
    const object = ownerOf(named);
    if (object === undefined) throw new Error(`nobody makes fields of a ${named}`);
    const actor = { kind: 'user' as const, id: newId('us', UserId) };
    const asker = { workspaceId, actor, correlationId: 'test' };
    const deps = { ...world.deps, customFieldCap: 500 };
    const field = { connection, object, asker, name: `Size of ${named}`, type: 'enum' as const };

    const before = await paid();
    const made = await createField(deps, client, { ...field, options: ['S', 'M'] });
    const between = await paid();
    const { code } = made.field;
    await createFieldOptions(deps, client, { connection, object, asker, code, labels: ['L'] });
    const after = await paid();

    expect(between - before).toBe(estimated('CREATE_FIELD', named));
    expect(after - between).toBe(estimated('CREATE_FIELD_OPTIONS', named));
  },
);

const paid = async () => (await bystander.ledger()).tokens;
const estimated = (...[job, object]: [Job, Parameters<typeof estimateJob>[1]]) =>
  estimateJob(job, object, { records: undefined, tracked: undefined }).tokens;
type Job = Parameters<typeof estimateJob>[0];
