import { once } from 'node:events';
import { isPlan } from './limits/limits.ts';
import { type SandboxOptions, startSandbox } from './start.ts';

const {
  PORT = '4700',
  HOST = '127.0.0.1',
  SANDBOX_DATA_FILE,
  SANDBOX_PUBLIC_URL,
  SANDBOX_LIMITS = 'off',
  SANDBOX_TIME_FACTOR = '1',
} = process.env;

const sandbox = await startSandbox({
  host: HOST,
  port: readPort(PORT),
  limits: readLimits(SANDBOX_LIMITS),
  timeFactor: readFactor(SANDBOX_TIME_FACTOR),
  log: (line) => process.stderr.write(`${line}\n`),
  ...(SANDBOX_PUBLIC_URL ? { publicUrl: readOrigin(SANDBOX_PUBLIC_URL) } : {}),
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

function readOrigin(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url.origin;
  throw new Error('SANDBOX_PUBLIC_URL must be a URL');
}

function readFactor(text: string): number {
  const factor = Number(text);
  if (factor > 0) return factor;
  throw new Error('SANDBOX_TIME_FACTOR must be a positive number');
}

function readLimits(text: string): NonNullable<SandboxOptions['limits']> {
  if (text === 'off') return 'off';
  if (isPlan(text)) return { plan: text };
  throw new Error('SANDBOX_LIMITS must be off, lite, growth, premium or ultimate');
}
