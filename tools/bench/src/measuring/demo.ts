import type { Installation } from '@manifold/dev/installation';

const DEMO_WITHIN_MS = 300_000;

/** Throws with what was printed when the demo gave up. */
export async function demoCompleted(manifold: Installation): Promise<void> {
  // both of its ends begin like this
  await manifold.printed('The demo ', DEMO_WITHIN_MS);
  if (!manifold.output().includes('The demo is complete')) throw new Error(manifold.output());
}
