import { WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId } from '@manifold/database';
import { createTestDatabase, silentLog } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { connectionRow } from '../../../test/rows.ts';
import { insertConnection } from '../../accounts/store.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { createAdmission } from './admission.ts';
import { createKnownPaths } from './known-paths.ts';
import { NEWCOMERS, STRANGERS } from './rules.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
afterAll(drop);

let nowMs = Date.parse('2026-03-01T10:00:00Z');
const now = () => new Date(nowMs);
const vault = { keyedHash: (purpose: string, text: string) => `${purpose} ${text}` };
const open = () => createKnownPaths({ db, vault, now, log: silentLog });
const connect = (path: string) =>
  acrossWorkspaces(db, (tx) =>
    insertConnection(
      tx,
      connectionRow(newId('ws', WorkspaceId), { webhook_path_hash: `webhook-path ${path}` }),
    ),
  );

test('after a restart in a flood each expected address has an allowance of its own', async () => {
  for (const path of ['p', 'q']) await connect(path);
  const [paths, admission] = [open(), createAdmission(now)];
  const admit = async (path: string, authorization: string) =>
    admission.admit({ path, authorization }, await paths.find(path));
  const flood = (path: (n: number) => string) =>
    Promise.all(
      Array.from({ length: STRANGERS.burst + 10 }, (_, n) => admit(path(n), `wrong ${n}`)),
    );
  const waiting = (waits: number[]) => waits.filter((seconds) => seconds > 0).length;
  expect(waiting(await flood((n) => `made up ${n}`))).toBe(10);
  expect(await admit('p', 'right')).toBe(0);
  // a right address with wrong passwords uses up its own, and nobody else's
  expect(waiting(await flood(() => 'p'))).toBe(STRANGERS.burst + 11 - NEWCOMERS.burst);
  expect(await admit('q', 'right')).toBe(0);
  expect(await admit('made up', 'wrong')).toBe(1);
});

test('a new address is known within seconds, and a flood has them read once in a while', async () => {
  const paths = open();
  expect(await paths.find('new')).toBeUndefined();
  await connect('new');
  expect(await paths.find('new')).toBeUndefined();
  nowMs += 5_000;
  expect(await Promise.all(['new', 'new', 'other'].map(paths.find))).toEqual([
    'webhook-path new',
    'webhook-path new',
    undefined,
  ]);
});
