import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

export interface Machine {
  cores: number;
  processor: string;
  memoryGiB: number;
  platform: string;
  node: string;
  /** Over the last minute; of others, when read before the bench begins. */
  load: number;
}

export const describeMachine = (): Machine => ({
  cores: availableParallelism(),
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  platform: `${process.platform}-${process.arch}`,
  node: process.versions.node,
  load: loadavg()[0] ?? 0,
});

export const formatMachine = (machine: Machine): string =>
  `${machine.cores} cores (${machine.processor}), ${machine.memoryGiB} GiB, ${machine.platform}, ` +
  `Node ${machine.node}, load ${machine.load.toFixed(2)}`;
