import { createHash } from 'node:crypto';
import { EventId, UserId, WorkspaceId } from '@manifold/contracts';
import { createTestDatabase } from '@manifold/testing';
import { type Kysely, sql, type Transaction } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answers, connectDatabase } from './connect.ts';
import { newId } from './ids.ts';
import { migrateToLatest } from './migrate.ts';
import { createIdempotency, createOnce, type IdempotencyTables } from './once.ts';
import {
  acrossWorkspaces,
  isolateByWorkspace,
  onOutgoing,
  wakeAfterCommit,
  withWorkspace,
} from './tenancy.ts';

interface Tables extends IdempotencyTables {
  note: { workspace_id: WorkspaceId; id: string; text: string };
}

const migrations = {
  '0001-note': {
    up: async (db: Kysely<unknown>) => {
      await sql`create table note (workspace_id text not null, id text not null, text text not null,
        primary key (workspace_id, id))`.execute(db);
      await isolateByWorkspace(db, 'note');
      await createIdempotency(db);
    },
  },
};
const { db, ownerDb, urls, drop } = await createTestDatabase<Tables>(migrations);
const [a, b] = [newId('ws', WorkspaceId), newId('ws', WorkspaceId)];
const noteOf = (workspace_id: WorkspaceId, text = 'note') => ({ workspace_id, id: 'n1', text });
const insert = (tx: Kysely<Tables>, note: Tables['note']) =>
  tx.insertInto('note').values(note).execute();
const list = (tx: Kysely<Tables>) => tx.selectFrom('note').selectAll().execute();

beforeAll(async () => {
  await withWorkspace(db, a, (tx) => insert(tx, noteOf(a)));
  await withWorkspace(db, b, (tx) => insert(tx, noteOf(b)));
});
afterAll(drop);

describe('tenancy', () => {
  test('a workspace sees its own rows only', async () => {
    expect(await withWorkspace(db, a, list)).toEqual([noteOf(a)]);
    expect(await withWorkspace(db, b, list)).toEqual([noteOf(b)]);
  });

  test('without a workspace there are no rows, for the owner of the table neither', async () => {
    expect(await list(db)).toEqual([]);
    expect(await list(ownerDb)).toEqual([]);
  });

  test('a row of another workspace cannot be written, changed, moved or removed', async () => {
    await expect(
      withWorkspace(db, a, (tx) => insert(tx, { ...noteOf(b), id: 'n2' })),
    ).rejects.toThrow('row-level security');
    await expect(
      withWorkspace(db, a, (tx) => tx.updateTable('note').set({ workspace_id: b }).execute()),
    ).rejects.toThrow('row-level security');
    await withWorkspace(db, a, async (tx) => {
      await tx.updateTable('note').set({ text: 'changed' }).where('workspace_id', '=', b).execute();
      await tx.deleteFrom('note').where('workspace_id', '=', b).execute();
    });

    expect(await withWorkspace(db, b, list)).toEqual([noteOf(b)]);
  });

  test('a workspace does not stay behind on the pooled connection', async () => {
    const single = connectDatabase<Tables>(urls.appUrl, { max: 1 });
    await withWorkspace(single, a, list);
    await withWorkspace(single, a, () => Promise.reject(new Error('failed'))).catch(
      () => undefined,
    );

    expect(await list(single)).toEqual([]);
    expect(await withWorkspace(single, b, list)).toEqual([noteOf(b)]);
    await single.destroy();
  });

  test('workspaces served at once over few connections never mix', async () => {
    const few = connectDatabase<Tables>(urls.appUrl, { max: 2 });
    const seen = await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const mine = n % 2 === 0 ? a : b;
        const rows = await withWorkspace(few, mine, list);
        return rows.every(({ workspace_id }) => workspace_id === mine) && rows.length === 1;
      }),
    );

    expect(seen.filter((right) => !right)).toEqual([]);
    await few.destroy();
  });

  test('a relay sees every workspace', async () => {
    expect(await acrossWorkspaces(db, list)).toHaveLength(2);
  });

  test('the service’s role is neither owner nor superuser, and changes no tables', async () => {
    const { rows } = await sql<{ rolsuper: boolean; rolbypassrls: boolean }>`
      select rolsuper, rolbypassrls from pg_roles where rolname = current_user`.execute(db);

    expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false }]);
    await expect(sql`alter table note disable row level security`.execute(db)).rejects.toThrow(
      'owner',
    );
    await expect(sql`truncate note`.execute(db)).rejects.toThrow('permission denied');
  });
});

describe('waking the relay', () => {
  test('happens after a commit that holds outgoing messages, and only then', async () => {
    const heard: string[] = [];
    const forget = onOutgoing(db, () => heard.push('woken'));
    await withWorkspace(db, a, async () => undefined);
    await withWorkspace(db, a, async (tx) => {
      wakeAfterCommit(tx);
      throw new Error('taken back');
    }).catch(() => undefined);
    expect(heard).toEqual([]);

    await withWorkspace(db, a, async (tx) => wakeAfterCommit(tx));
    expect(heard).toEqual(['woken']);

    forget();
    await withWorkspace(db, a, async (tx) => wakeAfterCommit(tx));
    expect(heard).toEqual(['woken']);
  });
});

describe('doing once', () => {
  const once = (
    workspaceId: WorkspaceId,
    key: string | undefined,
    input: unknown,
    made: string[] = [],
  ) =>
    withWorkspace(db, workspaceId, (tx: Transaction<Tables>) =>
      createOnce(
        tx,
        {
          ...{ workspaceId, operation: 'make', key, input, now: new Date('2026-03-01') },
          parseId: (id) => UserId.parse(id),
        },
        async () => {
          const id = newId('us', UserId);
          made.push(id);
          return id;
        },
      ),
    );

  test('a repeat returns the first answer', async () => {
    const one = await once(a, 'k1', { name: 'x' });
    const two = await once(a, 'k1', { name: 'x' });

    expect(two).toEqual({ id: one.id, repeated: true });
    expect(one.repeated).toBe(false);
  });

  test('many at once make one', async () => {
    const made: string[] = [];
    const answersOfAll = await Promise.all(
      Array.from({ length: 8 }, () => once(a, 'k2', { name: 'x' }, made)),
    );

    expect(made).toHaveLength(1);
    expect(new Set(answersOfAll.map(({ id }) => id)).size).toBe(1);
  });

  test('a repeat with another input is refused', async () => {
    await once(a, 'k3', { name: 'x' });
    await expect(once(a, 'k3', { name: 'y' })).rejects.toMatchObject({
      kind: 'conflict',
      detail: { reason: 'duplicate_idempotency_key' },
    });
  });

  test('what is kept of an input cannot be guessed from the table, nor found again in it', async () => {
    const input = { email: 'ada@example.com' };
    await once(a, 'k6', input);
    await once(a, 'k7', input);

    const rows = await withWorkspace(db, a, (tx) =>
      tx.selectFrom('idempotency').select('input_hash').where('key', 'in', ['k6', 'k7']).execute(),
    );
    expect(new Set(rows.map(({ input_hash }) => input_hash)).size).toBe(2);
    const guess = createHash('sha256').update(JSON.stringify(input)).digest('hex');
    expect(JSON.stringify(rows)).not.toContain(guess);
  });

  test('a key used before the database got another password is answered as before', async () => {
    const one = await once(a, 'k8', { name: 'x' });
    await withWorkspace(db, a, (tx) =>
      tx
        .updateTable('idempotency')
        .set({ input_hash: 'older.1' })
        .where('key', '=', 'k8')
        .execute(),
    );
    expect(await once(a, 'k8', { name: 'x' })).toEqual({ id: one.id, repeated: true });
  });

  test('a key means something else in another workspace', async () => {
    const one = await once(a, 'k4', { name: 'x' });
    const two = await once(b, 'k4', { name: 'x' });

    expect(two.repeated).toBe(false);
    expect(two.id).not.toBe(one.id);
  });

  test('a failed try leaves the key free', async () => {
    const failed = withWorkspace(db, a, (tx) =>
      createOnce(
        tx,
        {
          ...{ workspaceId: a, operation: 'make', key: 'k5', input: {}, now: new Date() },
          parseId: (id) => UserId.parse(id),
        },
        () => Promise.reject(new Error('failed')),
      ),
    );
    await expect(failed).rejects.toThrow('failed');

    expect((await once(a, 'k5', {})).repeated).toBe(false);
  });

  test('without a key everything is made anew', async () => {
    const made: string[] = [];
    await once(a, undefined, {}, made);
    await once(a, undefined, {}, made);
    expect(made).toHaveLength(2);
  });
});

describe('migrations', () => {
  test('which of them ran is no business of the runtime role', async () => {
    for (const table of ['kysely_migration', 'kysely_migration_lock']) {
      const read = sql`select * from ${sql.table(table)}`;
      await expect(read.execute(db)).rejects.toThrow('permission denied');
    }
  });

  test('run once, also when several replicas start together', async () => {
    const options = { ownerUrl: urls.ownerUrl, runtimeUrl: urls.appUrl, migrations };
    await Promise.all([
      migrateToLatest(options),
      migrateToLatest(options),
      migrateToLatest(options),
    ]);

    expect(await withWorkspace(db, a, list)).toEqual([noteOf(a)]);
  });

  test('that fail are an error, and change nothing', async () => {
    const broken = {
      ...migrations,
      '0002-broken': {
        up: async (tx: Kysely<unknown>) => {
          await sql`create table half (id int)`.execute(tx);
          await sql`select nothing from nowhere`.execute(tx);
        },
      },
    };
    const options = { ownerUrl: urls.ownerUrl, runtimeUrl: urls.appUrl, migrations: broken };

    await expect(migrateToLatest(options)).rejects.toThrow('Migration failed');
    await expect(sql`select from half`.execute(ownerDb)).rejects.toThrow('does not exist');
  });
});

test('ids sort in the order they were made, and name their kind', () => {
  const ids = Array.from({ length: 500 }, () => newId('ev', EventId));
  expect(ids.toSorted()).toEqual(ids);
  expect(ids[0]).toMatch(/^ev_[0-9a-f]{32}$/);
});

test('a database that is away is told, not waited for', async () => {
  const away = connectDatabase('postgres://nobody@127.0.0.1:1/nothing');
  expect(await answers(away)).toBe(false);
  expect(await answers(db)).toBe(true);
  await away.destroy();
});
