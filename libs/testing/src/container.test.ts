import pg from 'pg';
import { getContainerRuntimeClient } from 'testcontainers';
import { expect, test } from 'vitest';
import { startPostgresContainer } from './container.ts';

const hasDocker = await getContainerRuntimeClient().then(
  () => true,
  () => false,
);

test.runIf(hasDocker)(
  'with Docker a throw-away PostgreSQL answers',
  async () => {
    const { url, stop } = await startPostgresContainer();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await client.end();
    await stop();
  },
  180_000,
);

test.runIf(!hasDocker)('without Docker the error says what to do', async () => {
  await expect(startPostgresContainer()).rejects.toThrow(/unset TEST_CONTAINERS/);
});
