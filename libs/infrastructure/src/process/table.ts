import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** When a living process began; with its number it names a process even after numbers are reused. */
export function beginningOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps('lstart=', pid);
  const stat = readProc(pid, 'stat');
  // the name in parentheses may itself hold spaces; what follows it does not
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

/** Program and arguments of a living process. */
export function commandOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps('args=', pid);
  // a zombie has an empty command line
  return readProc(pid, 'cmdline')?.replaceAll('\0', ' ').trim() || undefined;
}

/** Stops a process that is not our child, if its command line still names `folder`. */
export async function stopOrphan(pid: number, folder: string): Promise<boolean> {
  const alive = () => commandOf(pid)?.includes(folder) ?? false;
  if (!alive()) return false;
  for (const [signal, patienceMs] of [
    ['SIGINT', 10_000],
    ['SIGKILL', 5_000],
  ] as const) {
    signalQuietly(pid, signal);
    const deadline = Date.now() + patienceMs;
    while (alive() && Date.now() < deadline) await sleep(10);
    if (!alive()) return true;
  }
  throw new Error(`Process ${pid}, left over in ${folder}, could not be stopped.`);
}

/** Sends a signal; a process that has just ended is no error. */
function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

function ps(column: string, pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}
