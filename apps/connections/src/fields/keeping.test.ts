import { type FieldDefinition, WorkspaceId } from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { connectionRow } from '../../test/rows.ts';
import { insertConnection } from '../accounts/store.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { takeLease } from './creation/lease.ts';
import { keepCatalogue, keepMadeField } from './keeping.ts';
import { findCatalogue } from './store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
afterAll(drop);

const at = (second: number) => new Date(Date.UTC(2026, 2, 1, 10, 0, second));
const fieldOf = (code: string): FieldDefinition => ({
  ...{ object: 'person', code, name: code, type: 'varchar', custom: true },
});

async function connect() {
  const workspaceId = newId('ws', WorkspaceId);
  const connection = connectionRow(workspaceId);
  await withWorkspace(db, workspaceId, (tx) => insertConnection(tx, connection));
  const codes = async () => {
    const found = await withWorkspace(db, workspaceId, (tx) =>
      findCatalogue(tx, connection.id, 'person'),
    );
    return found?.fields.map(({ code }) => code);
  };
  const keep = (asked: number, ...named: string[]) =>
    keepCatalogue({ db, now: () => at(50) }, connection, {
      object: 'person',
      fields: named.map(fieldOf),
      askedAt: at(asked),
    });
  return { connection, codes, keep };
}

test('a list that was asked for earlier does not replace a newer one', async () => {
  const { codes, keep } = await connect();
  await keep(2, 'name', 'pet');
  expect(await keep(1, 'name')).toMatchObject({ revision: 1, removed: [], differences: [] });
  expect(await codes()).toEqual(['name', 'pet']);
});

test('a made field comes into the catalogue as it is by then, and a list from before does not take it out', async () => {
  const { connection, codes, keep } = await connect();
  await keep(1, 'name');
  await keep(2, 'name', 'pet');
  const deps = { db, now: () => at(5) };
  await keepMadeField(deps, connection, { object: 'person', field: fieldOf('shoe') });
  await keep(4, 'name');
  expect(await codes()).toEqual(['name', 'pet', 'shoe']);
  await keep(6, 'name', 'shoe');
  expect(await codes()).toEqual(['name', 'shoe']);
});

test('whoever was too slow to make a field neither makes it nor ends the making of another', async () => {
  const { connection } = await connect();
  const slow = await takeLease({ db, now: () => at(0) }, connection);
  const other = await takeLease({ db, now: () => new Date(at(0).getTime() + 61_000) }, connection);
  await expect(slow.renew()).rejects.toMatchObject({ kind: 'unavailable' });
  await slow.end();
  const third = takeLease({ db, now: () => new Date(at(0).getTime() + 62_000) }, connection);
  await expect(third).rejects.toMatchObject({ kind: 'unavailable' });
  await other.end();
});
