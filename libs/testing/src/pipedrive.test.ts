import { expect, test } from 'vitest';
import { startTestPipedrive } from './index.ts';

test('a local Pipedrive answers its own token, without limits, and is gone after stop', async () => {
  const pipedrive = await startTestPipedrive();
  const me = () =>
    fetch(`${pipedrive.url}/api/v1/users/me`, { headers: { 'x-api-token': pipedrive.apiToken } });
  const answers = await Promise.all(Array.from({ length: 50 }, me));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  await pipedrive.stop();
  await expect(me()).rejects.toThrow('fetch failed');
});
