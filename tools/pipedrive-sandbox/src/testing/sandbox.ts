import { type Sandbox, type SandboxOptions, startSandbox } from '../index.ts';
import { type Caller, createCaller } from './caller.ts';

/** A sandbox and a caller with its administrator's API token. */
export interface TestSandbox extends Sandbox {
  call: Caller;
}

export async function startTestSandbox(options: SandboxOptions = {}): Promise<TestSandbox> {
  const sandbox = await startSandbox({ searchLagMs: 0, ...options });
  return { ...sandbox, call: createCaller(sandbox.url, { 'x-api-token': sandbox.apiToken }) };
}

/** A clock that only moves when told to. */
export function createClock(start = '2026-01-15T12:00:00Z') {
  let at = new Date(start).getTime();
  return {
    now: () => new Date(at),
    pass(ms: number) {
      at += ms;
    },
  };
}
