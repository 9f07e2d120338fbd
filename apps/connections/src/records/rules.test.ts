import { expect, test } from 'vitest';
import { includedFields, offeredFields } from './rules.ts';

const asked = includedFields('person', ['name', 'files_count', 'marketing_status']);

test('the marketing status is asked of companies with Campaigns alone', () => {
  expect(offeredFields(asked, [{ code: 'name' }])).toEqual(['files_count']);
  expect(offeredFields(asked, [{ code: 'name' }, { code: 'marketing_status' }])).toEqual([
    ...['files_count', 'marketing_status'],
  ]);
});
