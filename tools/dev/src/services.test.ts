import { featureNeeds } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { OAUTH_SCOPES } from './services.ts';

test('the local app may read the fields of activities, which are an administrator’s', () => {
  expect(OAUTH_SCOPES).toContain('admin');
});

test.each(Object.entries(featureNeeds))('the local app may do what %s needs', (_, { scopes }) => {
  const lacking = scopes.filter((enough) => !enough.some((scope) => OAUTH_SCOPES.includes(scope)));
  expect(lacking).toEqual([]);
});
