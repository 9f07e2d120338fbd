import type { Installation } from '@manifold/dev/installation';
import type { Figure } from '../measuring/figures.ts';
import { listFamily, type RunningProcess } from '../measuring/processes.ts';

const MIB = 2 ** 20;

/** Resident memory of each process, in one look; no figures on a system without /proc. */
export async function measureMemory(manifold: Installation): Promise<Figure[]> {
  const family = await listFamily(manifold.pid);
  if (family.length === 0) return [];
  const names = await namesByPid(manifold);
  const isPostgres = ({ program }: RunningProcess) => program.startsWith('postgres');
  const postgres = family.filter(isPostgres);
  const others = family.filter((process) => !isPostgres(process));
  return [
    ...others.map(({ pid, program, residentBytes }) =>
      figure(`memory: ${names.get(pid) ?? program}`, residentBytes),
    ),
    // its processes share most of what each of them has resident
    figure(`memory: ${postgres.length} of PostgreSQL, shared pages once`, shareOf(postgres)),
    figure(`memory: all ${family.length}, shared pages once`, shareOf(family)),
  ];
}

async function namesByPid(manifold: Installation): Promise<Map<number, string>> {
  const { services, gatewayPid, sandboxPid } = await manifold.endpoints();
  return new Map([
    [manifold.pid, 'npm start itself'],
    [gatewayPid, 'gateway'],
    [sandboxPid, 'local Pipedrive'],
    ...Object.entries(services).map(([name, { pid }]) => [pid, name] as const),
  ]);
}

const figure = (name: string, bytes: number): Figure => ({
  name,
  unit: 'MiB',
  samples: [bytes / MIB],
});

const shareOf = (processes: readonly RunningProcess[]): number =>
  processes.reduce((sum, { shareBytes }) => sum + shareBytes, 0);
