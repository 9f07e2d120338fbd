import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, expect, test } from 'vitest';
import { appOf, parseApps, requireApp } from './apps.ts';

const folder = mkdtempSync(join(tmpdir(), 'manifold-apps-'));
afterAll(() => rmSync(folder, { recursive: true }));

const app = {
  name: 'read-only',
  clientId: 'id-2',
  clientSecret: 'canary-secret',
  redirectUrl: 'https://example.test/oauth/callback',
  scopes: ['contacts:read'],
};
const registered = [
  { ...app, name: 'default', clientId: 'id-1', scopes: undefined },
  { ...app, scopes: ['contacts:read'] },
];

test('apps are read from JSON and from a file that holds it', async () => {
  const file = join(folder, 'apps.json');
  await writeFile(file, JSON.stringify([app]));
  expect(parseApps(JSON.stringify([app]))).toEqual([app]);
  expect(parseApps(file)).toEqual([app]);
});

test.each([
  ['no JSON', '[', /not JSON/],
  ['no redirect address', JSON.stringify([{ ...app, redirectUrl: undefined }]), /0\.redirectUrl/],
  ['a name with spaces', JSON.stringify([{ ...app, name: 'a b' }]), /0\.name/],
  ['one name twice', JSON.stringify([app, { ...app, clientId: 'x' }]), /one name/],
  ['one id twice', JSON.stringify([app, { ...app, name: 'x' }]), /one clientId/],
])('apps with %s are refused without quoting a secret', (_, text, message) => {
  expect(() => parseApps(text)).toThrow(message);
  expect(() => parseApps(text)).toThrow(/^(?!.*canary)/);
});

test('the first app is used when none is named; an unknown name is refused with the known ones', () => {
  expect(requireApp(registered, undefined).name).toBe('default');
  expect(requireApp(registered, 'read-only').clientId).toBe('id-2');
  expect(appOf(registered, 'id-2')?.name).toBe('read-only');
  expect(() => requireApp(registered, 'other')).toThrow(
    expect.objectContaining({
      detail: expect.objectContaining({
        field: 'input.app',
        fix: expect.stringContaining('default, read-only'),
      }),
    }),
  );
  expect(() => requireApp([], undefined)).toThrow(/No Pipedrive app is registered/);
});
