import type { ReadinessCheck } from '@manifold/service';
import type { Service } from './data-source.ts';

const TIMEOUT_MS = 2_000;

/** True when the service says that it is ready. */
export const readinessOf =
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
