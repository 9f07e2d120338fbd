import type { Installation } from '@manifold/dev/installation';
import { z } from 'zod';

/** Pipedrive's, by which it counts bursts. */
export const WINDOW_MS = 2_000;

const Windows = z.object({
  admitted: z.int(),
  /** 429s of all answers. */
  refusedShare: z.number(),
  /** The part of the full windows that was used; null before there is one. */
  used: z.number().nullable(),
  windows: z.array(z.unknown()),
});
export type Windows = z.output<typeof Windows>;

/** How the local Pipedrive saw its windows used since they were begun anew. */
export const readWindows = async (manifold: Installation): Promise<Windows> =>
  Windows.parse(await control(manifold, 'GET', '/windows'));

export const beginWindows = (manifold: Installation): Promise<unknown> =>
  control(manifold, 'DELETE', '/windows');

/** OAuth's limit of a plan; the API token of the bare loop has the same. */
export const setLimits = (
  manifold: Installation,
  limits: { plan: 'lite'; seats: number; apiToken: number },
): Promise<unknown> => control(manifold, 'PUT', '/limits', limits);

async function control(
  manifold: Installation,
  method: 'GET' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<unknown> {
  const { sandbox } = await manifold.endpoints();
  const response = await fetch(`${sandbox.controlUrl}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}`);
  return response.json();
}
