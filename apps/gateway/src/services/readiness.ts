import type { ReadinessCheck } from '@manifold/service';
import type { Service } from './data-source.ts';

const TIMEOUT_MS = 2_000;

/** A check for each of these services. */
export const readinessOfAll = (
  services: readonly Service[],
  isMeant: (name: string) => boolean,
): Record<string, ReadinessCheck> =>
  Object.fromEntries(
    services
      .filter(({ name }) => isMeant(name))
      .map((service) => [service.name, readinessOf(service)]),
  );

/** True when the service says that it is ready. */
const readinessOf =
  ({ pool }: Service): ReadinessCheck =>
  async () => {
    const { statusCode, body } = await pool.request({
      path: '/readyz',
      method: 'GET',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await body.dump();
    return statusCode === 200;
  };
