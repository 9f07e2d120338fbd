import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Installation,
  removeInstallation,
  startInstallation,
} from '@manifold/dev/installation';
import { measureChanges, measureSignUps } from './main-job/latency.ts';
import { measureMemory } from './main-job/memory.ts';
import { measureSync } from './main-job/sync.ts';
import { demoCompleted } from './measuring/demo.ts';
import { type Figure, seconds } from './measuring/figures.ts';
import { listFamily, requireGone } from './measuring/processes.ts';

/** Said here, so that a setting of the caller's shell does not change what is measured. */
const ENVIRONMENT = {
  DEMO_PERSONS: '10000',
  DEMO_ORGANIZATIONS: '2000',
  SANDBOX_LIMITS: 'off',
};

/** What `npm start` promises, on an installation of its own that is removed in the end. */
export async function measureMainJob(signal: AbortSignal): Promise<Figure[]> {
  const home = await mkdtemp(join(tmpdir(), 'manifold-bench-'));
  try {
    const first = await measureStart({ home, signal, work: measureRunning });
    const second = await measureStart({ home, signal, work: async () => [] });
    return [
      { name: 'first start: ready', unit: 's', samples: [first.readySeconds] },
      { name: 'second start: ready', unit: 's', samples: [second.readySeconds] },
      { name: 'demo, from ready to complete', unit: 's', samples: [first.demoSeconds] },
      ...first.figures,
    ];
  } finally {
    await removeInstallation({ home });
  }
}

interface Start {
  readySeconds: number;
  demoSeconds: number;
  figures: Figure[];
}

/** Starts, waits for the demo, works, stops. Throws when the stop is not clean. */
async function measureStart(options: {
  home: string;
  signal: AbortSignal;
  work: (manifold: Installation) => Promise<Figure[]>;
}): Promise<Start> {
  const { home, signal, work } = options;
  say('Starting an installation …');
  const startedAt = performance.now();
  const manifold = await startInstallation({ home, signal, env: ENVIRONMENT });
  const readyAt = performance.now();
  try {
    say('Ready; waiting for its demo …');
    await demoCompleted(manifold);
    const demoSeconds = seconds(performance.now() - readyAt);
    const figures = await work(manifold);
    const family = await listFamily(manifold.pid);
    say('Stopping it …');
    const code = await manifold.stop();
    if (code !== 0) throw new Error(`It stopped with ${code}:\n${manifold.output()}`);
    await requireGone(family);
    return { readySeconds: seconds(readyAt - startedAt), demoSeconds, figures };
  } finally {
    await manifold.stop();
  }
}

/** Memory comes first: what follows is work on top of the demo. */
async function measureRunning(manifold: Installation): Promise<Figure[]> {
  const memory = await measureMemory(manifold);
  say('Reading the same pages without Manifold …');
  const sync = await measureSync(manifold);
  say('Changing persons …');
  const changes = await measureChanges(manifold);
  say('Signing people up …');
  const signUps = await measureSignUps(manifold);
  return [...sync, changes, signUps, ...memory];
}

const say = (text: string): void => console.log(text);
