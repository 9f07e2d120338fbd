import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RunningProcess {
  pid: number;
  /** The program's name, at most 15 characters. */
  program: string;
  /** When it began, in ticks since the machine did: with the pid it names a process for good. */
  begun: string;
  residentBytes: number;
  /** Like `residentBytes`, with each shared page divided among its users: sums are true. */
  shareBytes: number;
}

const GONE_WITHIN_MS = 5_000;

/** The process and everything it started, from /proc; empty where there is none. */
export async function listFamily(root: number): Promise<RunningProcess[]> {
  const all = await listProcesses();
  const family = new Set([root]);
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  const members = all.filter(({ pid }) => family.has(pid));
  return Promise.all(members.map(async (member) => ({ ...member, ...(await memoryOf(member)) })));
}

/** Throws, naming them, when processes are still there after a moment. */
export async function requireGone(processes: readonly RunningProcess[]): Promise<void> {
  const deadline = performance.now() + GONE_WITHIN_MS;
  for (;;) {
    const living = new Set((await listProcesses()).map(identityOf));
    const left = processes.filter((process) => living.has(identityOf(process)));
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      const names = left.map(({ program, pid }) => `${program} (${pid})`);
      throw new Error(`Left running: ${names.join(', ')}`);
    }
    await sleep(50);
  }
}

type Listed = Pick<RunningProcess, 'pid' | 'program' | 'begun'> & { parent: number };

const identityOf = ({ pid, begun }: Pick<RunningProcess, 'pid' | 'begun'>) => `${pid} ${begun}`;

async function listProcesses(): Promise<Listed[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.map(Number).filter(Number.isInteger);
  return (await Promise.all(pids.map(readStat))).filter((process) => process !== undefined);
}

async function readStat(pid: number): Promise<Listed | undefined> {
  const stat = await readProc(pid, 'stat');
  // the name in parentheses may itself hold spaces and parentheses
  const [, program = '', rest = ''] = /\((.*)\) (.*)/s.exec(stat) ?? [];
  const fields = rest.split(' ');
  const [state = '', parent] = fields;
  // a zombie has ended; only its parent has not looked yet
  return ['', 'Z', 'X'].includes(state)
    ? undefined
    : { pid, program, parent: Number(parent), begun: fields[19] ?? '' };
}

async function memoryOf({ pid }: Listed) {
  const memory = await readProc(pid, 'smaps_rollup');
  const bytesOf = (label: string) =>
    Number(new RegExp(`^${label}:\\s+(\\d+) kB`, 'm').exec(memory)?.[1] ?? 0) * 1024;
  return { residentBytes: bytesOf('Rss'), shareBytes: bytesOf('Pss') };
}

/** Empty when the process has ended meanwhile. */
const readProc = (pid: number, file: string): Promise<string> =>
  readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
