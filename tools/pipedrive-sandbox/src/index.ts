export { type Sandbox, type SandboxOptions, startSandbox } from './start.ts';
export type { Limits, Plan } from './limits/limits.ts';
