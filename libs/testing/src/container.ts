import { GenericContainer, Wait } from 'testcontainers';

const IMAGE = 'postgres:18-bookworm';

/**
 * A throw-away PostgreSQL in Docker, for machines that prefer it to the embedded one (asked for
 * with `TEST_CONTAINERS=1`).
 *
 * @throws Error that says what to do when no container engine runs.
 */
export async function startPostgresContainer(): Promise<{
  url: string;
  stop: () => Promise<void>;
}> {
  try {
    const container = await new GenericContainer(IMAGE)
      .withEnvironment({ POSTGRES_HOST_AUTH_METHOD: 'trust' })
      .withExposedPorts(5432)
      // the image starts the server twice: once to set itself up, then for good
      .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
      .start();
    const address = `${container.getHost()}:${container.getMappedPort(5432)}`;
    return {
      url: `postgres://postgres@${address}/postgres`,
      stop: async () => void (await container.stop()),
    };
  } catch (error) {
    throw new Error(
      'TEST_CONTAINERS=1 needs a running Docker. Start it, or unset TEST_CONTAINERS to use the embedded PostgreSQL.',
      { cause: error },
    );
  }
}
