import type { Sandbox, startSandbox } from '@manifold/pipedrive-sandbox';

type SandboxOptions = NonNullable<Parameters<typeof startSandbox>[0]>;

/** A local Pipedrive in this process, in memory, on a free port, with limits off. Call `stop` in `afterAll`. */
export async function startTestPipedrive(options: SandboxOptions = {}): Promise<Sandbox> {
  // loaded on demand: most test files need no Pipedrive
  const sandbox = await import('@manifold/pipedrive-sandbox');
  return sandbox.startSandbox({ limits: 'off', ...options });
}
