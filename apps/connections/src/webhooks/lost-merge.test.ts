import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import type { WebhookEvent } from '@manifold/pipedrive';
import { afterAll, expect, test } from 'vitest';
import { createTracking } from '../../test/tracking.ts';
import { createWorld } from '../../test/writing.ts';
import { listLinks, setLinks } from '../links/store.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { tellChange } from './telling.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const tracking = createTracking(world);
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

const mergedAt = Date.now();
const eventOf = (change: Partial<WebhookEvent> & Pick<WebhookEvent, 'id' | 'recordId'>) => ({
  ...{ action: 'delete' as const, object: 'person' as const },
  occurredAt: new Date(mergedAt).toISOString(),
  companyId: world.connection.company_id,
  ...{ userId: null, webhookId: null, correlationId: null, attempt: 1, changeSource: null },
  ...{
    bulkEdit: false,
    mergedInto: null,
    mergedFrom: null,
    permittedUserIds: null,
    previous: null,
  },
  record: {
    ...{ object: 'person' as const, id: change.recordId, addTime: null, fields: {} },
    ...{ updateTime: null, deleted: true },
  },
  ...change,
});
const tell = (event: WebhookEvent) =>
  world.scoped((tx) =>
    tellChange(tracking.deps, tx, { connection: world.connection, catalogue: undefined, event }),
  );
const later = new Date(mergedAt + 5_000).toISOString();

test.each([
  [
    'its own delivery comes',
    (loser: string, survivor: string) =>
      eventOf({ id: `own-${loser}`, recordId: loser, mergedInto: survivor }),
  ],
  [
    "only the survivor's comes",
    (loser: string, survivor: string) =>
      eventOf({ id: `s-${loser}`, recordId: survivor, action: 'change', mergedFrom: loser }),
  ],
])(
  'a merge is followed by the links though a sweep told first that the loser is gone, when %s',
  async (title, delivery) => {
    const [loser, survivor] = title.startsWith('its') ? ['11', '12'] : ['21', '22'];
    const keys = {
      workspaceId: world.workspaceId,
      companyId: world.connection.company_id,
      object: 'person' as const,
      keyHashes: [`h${loser}`],
    };
    await world.scoped((tx) =>
      setLinks(tx, keys, { pipedriveId: loser ?? '', now: new Date(mergedAt) }),
    );
    await tell(eventOf({ id: `gone-${loser}`, recordId: loser ?? '', occurredAt: later }));
    // and of the survivor something newer is known
    const newer = { id: `newer-${loser}`, recordId: survivor ?? '', occurredAt: later };
    await tell(eventOf({ ...newer, action: 'change' }));
    await tell(delivery(loser ?? '', survivor ?? ''));
    const [link] = await world.scoped((tx) => listLinks(tx, keys));
    expect(link).toMatchObject({ state: 'linked', pipedrive_id: survivor });
  },
);
