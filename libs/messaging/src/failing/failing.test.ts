import { type CampaignId, CampaignSaved, MessageParked, subjectOf } from '@manifold/contracts';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import {
  captureLog,
  createTestDatabase,
  eventually,
  silentLog as log,
  startTestNats,
} from '@manifold/testing';
import { jetstream } from '@nats-io/jetstream';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { consume } from '../consuming/consume.ts';
import {
  migrations,
  newCampaign,
  note,
  notesOf,
  type Tables,
  workspaceId,
} from '../fixtures/notes.ts';
import { createSender } from '../fixtures/sending.ts';
import { RETRY_DELAYS_MS } from '../consuming/handle.ts';
import { type Handler, on } from '../consuming/handler.ts';
import { ensureStream } from '../streams/streams.ts';

const { db, ownerDb, urls, drop } = await createTestDatabase<Tables>(migrations);
const broker = await startTestNats();
const { nats } = broker;
const service = 'contacts';
const { send, countOpen } = createSender(nats, service);
const everythingAcknowledged = () =>
  eventually(async () => expect(await countOpen()).toEqual({ pending: 0, unacknowledged: 0 }));

/** Campaigns whose events fail, and how. */
const failing = new Map<string, Error>();
const handler: Handler<Tables> = on(
  CampaignSaved,
  async (tx, { payload }) => {
    const failure = failing.get(payload.campaignId);
    // fails after it wrote, so that a trace would show
    await note(tx, payload.campaignId, payload.state);
    if (failure) throw failure;
  },
  { keyOf: ({ payload }) => payload.campaignId },
);

let stop = async () => {};
const start = async (handlers = [handler]) => {
  stop = await consume({ db, nats, service, handlers, log });
};

beforeAll(() => ensureStream(nats, 'referrals'));
afterEach(() => stop());
afterAll(async () => {
  await broker.stop();
  await drop();
});

describe('an event that fails', () => {
  test('waits in Postgres with what follows it, and holds up nobody else', async () => {
    await start();
    const [bad, good] = [newCampaign(), newCampaign()];
    failing.set(bad, new Error('not now'));
    await send(bad, 'DRAFT');
    await send(bad, 'OPEN');
    await send(good, 'OPEN');

    await eventually(async () => expect(await notesOf(db, good)).toEqual(['OPEN']));
    await eventually(async () => expect(await waitingOf(bad)).toEqual(['DRAFT', 'OPEN']));
    await everythingAcknowledged();
    expect(await notesOf(db, bad)).toEqual([]);

    failing.delete(bad);
    await hurry(bad);
    await eventually(async () => expect(await notesOf(db, bad)).toEqual(['DRAFT', 'OPEN']));
    expect(await waitingOf(bad)).toEqual([]);
  });

  test('every time is parked in the end, with its cause, and lets the next one through', async () => {
    await start();
    const bad = newCampaign();
    failing.set(bad, new TypeError('secret value'));
    const id = await send(bad, 'DRAFT');
    for (const [done] of RETRY_DELAYS_MS.entries()) {
      await eventually(async () => expect(await attemptsOf(id)).toBe(done + 1));
      await hurry(bad);
    }

    const letter = await eventually(() => deadLetter(id));
    expect(letter).toMatchObject({
      name: CampaignSaved.name,
      reason: 'handler_failed',
      cause: 'TypeError',
      attempts: RETRY_DELAYS_MS.length + 1,
    });
    expect(await outgoing(id)).toMatchObject({
      name: MessageParked[service].name,
      payload: { messageId: id, reason: 'handler_failed' },
    });
    failing.delete(bad);
    await send(bad, 'OPEN');
    await eventually(async () => expect(await notesOf(db, bad)).toEqual(['OPEN']));
  }, 40_000);

  test('because another service is away waits for it, however long, without using up its tries', async () => {
    await start();
    const early = newCampaign();
    failing.set(early, new Refusal('unavailable', 'away', { reason: 'service_unavailable' }));
    const id = await send(early, 'OPEN');
    for (let tries = 0; tries <= RETRY_DELAYS_MS.length + 1; tries += 1) {
      await eventually(async () => expect(await waitingOf(early)).toEqual(['OPEN']));
      await hurry(early);
      // the moment is moved on by the next try alone
      await eventually(async () => expect(await isDue(id)).toBe(false));
    }
    expect(await attemptsOf(id)).toBe(0);

    failing.delete(early);
    await eventually(async () => {
      // a try under way gives its own time afterwards
      await hurry(early);
      expect(await notesOf(db, early)).toEqual(['OPEN']);
    });
  }, 40_000);

  test('because of a bug in the service it asks uses up its tries', async () => {
    await start();
    const bad = newCampaign();
    failing.set(bad, new Refusal('unavailable', 'failed', { reason: 'handler_failed' }));
    const id = await send(bad, 'OPEN');

    await eventually(async () => expect(await attemptsOf(id)).toBe(1));
  });

  test('and cannot even be kept in Postgres is not overtaken by the next of its key', async () => {
    const campaign = newCampaign();
    const role = sql.id(new URL(urls.appUrl).username);
    const first: Handler<Tables> = {
      ...handler,
      prepare: async (event) => {
        const { payload } = CampaignSaved.envelope.parse(event);
        if (payload.state === 'DRAFT' && failing.has(campaign)) throw failing.get(campaign);
        return handler.prepare(event);
      },
    };
    const { log: told, lines } = captureLog();
    failing.set(campaign, new Error('not now'));
    await sql`revoke insert on inbox_waiting from ${role}`.execute(ownerDb);
    stop = await consume({ db, nats, service, handlers: [first], log: told });
    await send(campaign, 'DRAFT');
    await eventually(async () => expect(lines.join()).toContain('event not stored'));
    failing.delete(campaign);
    await send(campaign, 'OPEN');
    const other = newCampaign();
    await send(other, 'OPEN');

    await eventually(async () => expect(await notesOf(db, other)).toEqual(['OPEN']));
    await sql`grant insert on inbox_waiting to ${role}`.execute(ownerDb);
    await eventually(async () => expect(await notesOf(db, campaign)).toEqual(['DRAFT', 'OPEN']));
    await everythingAcknowledged();
  });

  test('and takes long when it is tried again holds up no other that waits', async () => {
    const [slow, other] = [newCampaign(), newCampaign()];
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slowly: Handler<Tables> = {
      ...handler,
      prepare: async (event) => {
        const { payload } = CampaignSaved.envelope.parse(event);
        if (payload.campaignId === slow && !failing.has(slow)) await released;
        return handler.prepare(event);
      },
    };
    for (const campaign of [slow, other]) failing.set(campaign, new Error('not now'));
    await start([slowly]);
    for (const campaign of [slow, other]) {
      await send(campaign, 'OPEN');
      await eventually(async () => expect(await waitingOf(campaign)).toEqual(['OPEN']));
      failing.delete(campaign);
    }
    for (const campaign of [slow, other]) await hurry(campaign);

    await eventually(async () => expect(await notesOf(db, other)).toEqual(['OPEN']));
    expect(await notesOf(db, slow)).toEqual([]);
    release();
    await eventually(async () => expect(await notesOf(db, slow)).toEqual(['OPEN']));
  });

  test('for a reason that will not change is parked at once', async () => {
    await start();
    const bad = newCampaign();
    failing.set(bad, new Refusal('conflict', 'never', { reason: 'invalid_input' }));
    const id = await send(bad, 'OPEN');

    expect(await eventually(() => deadLetter(id))).toMatchObject({ attempts: 1 });
    expect(await waitingOf(bad)).toEqual([]);
  });

  test('because its payload does not fit the contract is parked as unreadable', async () => {
    await start();
    const id = await send('no campaign' as CampaignId, 'OPEN');
    expect(await eventually(() => deadLetter(id))).toMatchObject({ reason: 'message_unreadable' });
  });

  test('because it is no event at all is parked as unreadable', async () => {
    await start();
    await jetstream(nats).publish(subjectOf(CampaignSaved.name, workspaceId), 'no event');
    await everythingAcknowledged();

    const letters = await inWorkspace(
      sql`select reason, name from dead_letter where body->'payload'->>'unreadable' = 'no event'`,
    );
    expect(letters).toEqual([{ reason: 'message_unreadable', name: CampaignSaved.name }]);
  });

  test('and comes again from the broker keeps its count of tries', async () => {
    await start();
    const bad = newCampaign();
    failing.set(bad, new Error('not now'));
    const id = await send(bad, 'OPEN');
    await eventually(async () => expect(await attemptsOf(id)).toBe(1));
    await send(bad, 'OPEN', { id, msgID: 'again' });
    await everythingAcknowledged();

    expect(await attemptsOf(id)).toBeGreaterThan(0);
  });
});

const inWorkspace = <Row>(query: ReturnType<typeof sql<Row>>) =>
  withWorkspace(db, workspaceId, async (tx) => (await query.execute(tx)).rows);

const waitingOf = async (key: string) =>
  (
    await inWorkspace(
      sql<{
        state: string;
      }>`select body->'payload'->>'state' as state from inbox_waiting where key like ${`%${key}`} order by id`,
    )
  ).map(({ state }) => state);

const isDue = async (id: string) =>
  (
    await inWorkspace(
      sql<{
        due: boolean;
      }>`select not_before <= now() as due from inbox_waiting where event_id = ${id}`,
    )
  )[0]?.due;

const attemptsOf = async (id: string) =>
  (
    await inWorkspace(
      sql<{ attempts: number }>`select attempts from inbox_waiting where event_id = ${id}`,
    )
  )[0]?.attempts;

const hurry = (key: string) =>
  inWorkspace(sql`update inbox_waiting set not_before = now() where key like ${`%${key}`}`);

async function deadLetter(id: string) {
  const [letter] = await inWorkspace(sql`select * from dead_letter where message_id = ${id}`);
  if (!letter) throw new Error('no dead letter yet');
  return letter;
}

const outgoing = (id: string) =>
  acrossWorkspaces(db, async (tx) => {
    const { body } = await tx
      .selectFrom('outbox')
      .select('body')
      .where('key', '=', id)
      .executeTakeFirstOrThrow();
    return body;
  });
