import { expect, test } from 'vitest';
import { fixOf, fixOfRefused } from './rules.ts';

test.each([
  ['several_matches', false, 'redrive'],
  ['index_needed', false, 'trackRecords, then redrive'],
  ['record_gone', true, 'Restore the record in Pipedrive, then redrive'],
  ['handler_failed', false, 'log of the connections service, then redrive'],
  ['pipedrive_refused', false, 'retryDelivery'],
  ['pipedrive_refused', true, 'redrive'],
] as const)('a request parked by %s, written in part: %s, goes on with %s', (reason, is, by) => {
  expect(fixOf(reason, is)).toContain(by);
});

test.each([
  ['connection_missing', undefined, /choose another one.*saveCampaign.*retryDelivery/],
  ['connection_disabled', undefined, /enableConnection.*retryDelivery/],
  ['unknown_field', 'Refresh the fields.', /^Refresh the fields\. Then use retryDelivery\.$/],
  ['invalid_input', undefined, /^Correct the mapping or the campaign/],
  ['already_written', 'Use redrive.', /^Use redrive\.$/],
] as const)('a command refused with %s says what to do', (reason, fix, expected) => {
  expect(fixOfRefused(reason, fix)).toMatch(expected);
});
