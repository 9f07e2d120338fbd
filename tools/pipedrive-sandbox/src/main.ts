import { once } from 'node:events';
import { isPlan } from './limits/limits.ts';
import { type SandboxOptions, startSandbox } from './start.ts';

const {
  PORT = '4700',
  HOST = '127.0.0.1',
  SANDBOX_DATA_FILE,
  SANDBOX_LIMITS = 'off',
} = process.env;

const sandbox = await startSandbox({
  host: HOST,
  port: readPort(PORT),
  limits: readLimits(SANDBOX_LIMITS),
  log: (line) => process.stderr.write(`${line}\n`),
  ...(SANDBOX_DATA_FILE ? { dataFile: SANDBOX_DATA_FILE } : {}),
});
process.stdout.write(`${JSON.stringify({ ready: true, url: sandbox.url })}\n`);

await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
await sandbox.stop();

function readPort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new Error('PORT must be a port number');
}

function readLimits(text: string): NonNullable<SandboxOptions['limits']> {
  if (text === 'off') return 'off';
  if (isPlan(text)) return { plan: text };
  throw new Error('SANDBOX_LIMITS must be off, lite, growth, premium or ultimate');
}
