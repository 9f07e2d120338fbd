import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { measureMainJob } from './main-job.ts';
import { type Bench, formatTable, summarize } from './measuring/figures.ts';
import { describeMachine, formatMachine } from './measuring/machine.ts';

const benches: Readonly<Record<string, Bench>> = { 'main-job': measureMainJob };
const results = join(import.meta.dirname, '../results');

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stopping.abort(new Error('Stopped')));
}

const [name = ''] = process.argv.slice(2);
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench) await measure(bench);
else {
  console.error(`There is no bench "${name}". There are: ${Object.keys(benches).join(', ')}`);
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
