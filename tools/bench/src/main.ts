import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { measureBudget } from './budget.ts';
import { measureMainJob } from './main-job.ts';
import { measureMapping } from './mapping.ts';
import { type Bench, formatTable, judge, summarize } from './measuring/figures.ts';
import { describeMachine, formatMachine } from './measuring/machine.ts';

const benches: Readonly<Record<string, { about: string; bench: Bench }>> = {
  'main-job': { about: 'start, sync, latencies, memory; about a minute', bench: measureMainJob },
  budget: {
    about: 'how bulk work uses the API window, and who waits for it; about two minutes',
    bench: measureBudget,
  },
  mapping: {
    about: 'a compiled mapping beside one written by hand; seconds',
    bench: measureMapping,
  },
};
const HELP = `npm run bench <name>
${Object.entries(benches)
  .map(([name, { about }]) => `  ${name.padEnd(10)}  ${about}`)
  .join('\n')}
Ends with 1 when a goal was missed. Figures go to tools/bench/results/<name>.json.`;
const results = join(import.meta.dirname, '../results');

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stopping.abort(new Error('Stopped')));
}

const [name = ''] = process.argv.slice(2);
const chosen = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (chosen) await measure(chosen.bench);
else if (['', '--help', '-h'].includes(name)) console.log(HELP);
else {
  console.error(`There is no bench "${name}".\n${HELP}`);
  process.exitCode = 1;
}

async function measure(bench: Bench): Promise<void> {
  const machine = describeMachine();
  console.log(formatMachine(machine));
  try {
    const at = new Date().toISOString();
    const figures = await bench(stopping.signal);
    console.log(`\n${formatTable(figures.map(summarize))}`);
    const file = join(results, `${name}.json`);
    const verdicts = figures.flatMap((figure) => judge(figure) ?? []);
    for (const { text } of verdicts) console.log(text);
    if (verdicts.some(({ met }) => !met)) process.exitCode = 1;
    const rows = figures.map((figure) => ({ ...summarize(figure), samples: figure.samples }));
    await mkdir(results, { recursive: true });
    await writeFile(
      file,
      `${JSON.stringify({ bench: name, at, machine, figures: rows }, null, 2)}\n`,
    );
    console.log(`\nWritten to ${relative(process.cwd(), file)}`);
  } catch (error) {
    console.error(stopping.signal.aborted ? 'Stopped.' : error);
    process.exitCode = 1;
  }
}
