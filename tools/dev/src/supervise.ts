import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** A process that lived this long begins again with the shortest pause. */
const HEALTHY_AFTER_MS = 30_000;
const STOP_WITHIN_MS = 12_000;

export interface Supervised {
  readonly name: string;
  pid(): number | undefined;
  stop(): Promise<void>;
}

/**
 * Keeps one process running: one that ends is started again, with pauses that grow to 10 s. Output
 * goes to `logFile`, and to the screen when `onLine` is given. The process does not see the
 * terminal's Ctrl-C, and ends by itself when this one is gone.
 */
export function supervise(options: {
  name: string;
  script: string;
  env: NodeJS.ProcessEnv;
  cwd: string;
  logFile: string;
  onLine?: ((line: string) => void) | undefined;
  onStarted: (pid: number) => void;
  onDied: (how: string, pauseMs: number) => void;
}): Supervised {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  const finished = (async () => {
    let pauseMs = FIRST_PAUSE_MS;
    while (!stopping.signal.aborted) {
      const startedAt = Date.now();
      child = startProcess(options);
      const [code, signal] = await once(child, 'exit');
      child = undefined;
      if (stopping.signal.aborted) return;
      if (Date.now() - startedAt > HEALTHY_AFTER_MS) pauseMs = FIRST_PAUSE_MS;
      options.onDied(signal === null ? `exit code ${code}` : `signal ${signal}`, pauseMs);
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  })();
  return {
    name: options.name,
    pid: () => child?.pid,
    stop: async () => {
      stopping.abort();
      const running = child;
      running?.kill('SIGTERM');
      const late = setTimeout(() => running?.kill('SIGKILL'), STOP_WITHIN_MS);
      await finished;
      clearTimeout(late);
    },
  };
}

function startProcess(options: Parameters<typeof supervise>[0]): ChildProcess {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', FOLLOW_PARENT, options.script],
    {
      cwd: options.cwd,
      env: options.env,
      detached: true, // its own process group: Ctrl-C reaches us, and we stop it in order
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  // flags 'a' and 0600: logs may name records
  const file = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.pipe(file, { end: false });
    if (options.onLine) forLines(stream, options.onLine);
  }
  child.once('close', () => file.end());
  child.stdin?.on('error', () => undefined);
  if (child.pid !== undefined) options.onStarted(child.pid);
  return child;
}

const FOLLOW_PARENT = new URL('./follow-parent.ts', import.meta.url).href;

function forLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  let rest = '';
  stream?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
}
