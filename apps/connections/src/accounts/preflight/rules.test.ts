import { featureNeeds, PipedriveFeature } from '@manifold/contracts';
import { operations } from '@manifold/pipedrive';
import { expect, test } from 'vitest';
import { refusalOf } from '../rules.ts';
import { checkFeature, explainScope, featureOf } from './rules.ts';

const reader = { method: 'OAUTH', scopes: ['base', 'contacts:read'], app_name: 'reader' } as const;
const connection = { ...reader, scopes: [...reader.scopes] };
const apps = [
  { name: 'reader', scopes: ['contacts:read'] },
  { name: 'writer', scopes: ['contacts:full', 'admin'] },
  { name: 'unsaid', scopes: undefined },
];

test('an API token may do everything its user may', () => {
  const token = { method: 'API_TOKEN', scopes: [], app_name: null } as const;
  for (const feature of PipedriveFeature.options) {
    expect(checkFeature({ ...token, scopes: [] }, feature, [])).toMatchObject({
      isGranted: true,
      missing: [],
      fix: undefined,
    });
  }
});

test.each([
  ['SYNC_CONTACTS', [], undefined],
  ['SEARCH', [], undefined],
  ['WRITE_CONTACTS', ['contacts:full'], /with the app writer, which has contacts:full/],
  ['WEBHOOKS', ['webhooks:full'], /with the app writer/],
  ['WRITE_LEADS', ['leads:full'], /Switch on leads:full for the app reader .*Developer Hub/],
] as const)('with contacts:read alone %s lacks %j (WX-17)', (feature, missing, fix) => {
  const check = checkFeature(connection, feature, apps);
  expect(check).toMatchObject({ isGranted: missing.length === 0, missing });
  if (fix === undefined) expect(check.fix).toBeUndefined();
  else expect(check.fix).toMatch(fix);
});

test('admin alone grants webhooks, users and the making of fields, and nothing of a record (WX-18)', () => {
  const administering = { ...connection, scopes: ['base', 'admin'] };
  const granted = PipedriveFeature.options.filter(
    (feature) => checkFeature(administering, feature, apps).isGranted,
  );
  expect(granted).toEqual([
    'CREATE_CONTACT_FIELDS',
    'CREATE_DEAL_FIELDS',
    'CREATE_PRODUCT_FIELDS',
    'WEBHOOKS',
    'USERS',
  ]);
});

test('an app that was given the scope since needs its user to connect again, with itself', () => {
  const grown = [{ name: 'reader', scopes: ['contacts:full'] }];
  expect(checkFeature(connection, 'WRITE_CONTACTS', grown).fix).toMatch(/reader has .* by now/);
});

test('every feature names what needs it, and every operation but one the feature it serves', () => {
  for (const feature of PipedriveFeature.options) {
    expect(featureNeeds[feature].neededBy.length).toBeGreaterThan(0);
  }
  const names = Object.keys(operations) as (keyof typeof operations)[];
  expect(names.filter((name) => featureOf(name) === undefined)).toEqual(['getCurrentUser']);
});

test.each([
  ['getPersons', 'SYNC_CONTACTS'],
  ['updateOrganization', 'WRITE_CONTACTS'],
  ['searchPersons', 'SEARCH'],
  ['searchItemByField', 'SEARCH'],
  ['addPersonField', 'CREATE_CONTACT_FIELDS'],
  ['getDealFields', 'READ_DEALS'],
  ['addLead', 'WRITE_LEADS'],
  ['getActivities', 'READ_ACTIVITIES'],
  ['addWebhook', 'WEBHOOKS'],
  ['getUsers', 'USERS'],
] as const)('%s serves %s', (operation, feature) => {
  expect(featureOf(operation)).toBe(feature);
});

test('a refusal for a missing scope names feature, scope and the way out', () => {
  const explained = explainScope(connection, 'addPerson', apps);
  const refusal = refusalOf({ outcome: 'scope_missing', ...explained });
  expect(refusal.message).toContain('WRITE_CONTACTS (contacts:full)');
  expect(refusal.detail).toMatchObject({
    reason: 'scope_missing',
    fix: expect.stringContaining('writer'),
  });
  // granted, and refused all the same: it is the user who may not
  expect(explainScope(connection, 'getPersons', apps)?.fix).toMatch(/Give the user the permission/);
});
