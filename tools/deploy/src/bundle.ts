import { cp, glob, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';
import { ROOT } from './root.ts';

const NEEDED_NODE = 24;

/** What a bundle is made of besides code: files the service reads while it runs. */
const READ_AT_RUN_TIME = ['graphql', 'html', 'css', 'js'];

/** Files of packages that a service hands to browsers. */
const SERVED: Record<string, readonly string[]> = {
  gateway: [
    'react/package.json',
    'react/umd/react.production.min.js',
    'react-dom/package.json',
    'react-dom/umd/react-dom.production.min.js',
    'graphiql/package.json',
    'graphiql/graphiql.min.js',
    'graphiql/graphiql.min.css',
  ],
};

/** Bundles one of the services, or the gateway, into `outDir`. */
export const bundleService = (name: string, outDir: string): Promise<void> =>
  bundle({ name, script: `apps/${name}/src/main.ts`, outDir });

/**
 * Makes a folder that runs with Node 24 and nothing else: `node main.js`. Files a module reads
 * relative to itself lie in the folder as they lie in the repository.
 */
export async function bundle(program: {
  name: string;
  script: string;
  outDir: string;
}): Promise<void> {
  const { name, script, outDir } = program;
  await rm(outDir, { recursive: true, force: true });
  const threads = await write(script, join(outDir, 'program.js'), '.');
  for (const thread of threads) {
    const place = relative(ROOT, thread).replace(/\.ts$/, '.js');
    await write(relative(ROOT, thread), join(outDir, place), dirname(place));
  }
  await writeFile(join(outDir, 'main.js'), entry(name));
  await copyFiles(script, outDir);
  await Promise.all((SERVED[name] ?? []).map((file) => copy(join('node_modules', file), outDir)));
  const manifest = { name: `@manifold/${name}`, private: true, type: 'module', main: 'main.js' };
  await writeFile(join(outDir, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** An older Node would end with a syntax error of the program, so what it reads first is old syntax. */
const entry = (name: string): string => `var node = process.versions.node;
if (parseInt(node, 10) >= ${NEEDED_NODE}) {
  import('./program.js');
} else {
  process.stderr.write('manifold ${name} needs Node ${NEEDED_NODE} or newer; this is Node ' + node + '\\n');
  process.exit(1);
}
`;

/** Puts all code of a script into one file; answers the modules it starts as threads. */
async function write(script: string, file: string, folder: string): Promise<Set<string>> {
  const threads = new Set<string>();
  const build = await rolldown({
    input: join(ROOT, script),
    platform: 'node',
    // an optional dependency of pg that we do not use
    external: ['pg-native'],
    plugins: [keepPlaces(folder, threads)],
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`${script} cannot be bundled: ${log.message}`);
    },
  });
  await build.write({ file, format: 'esm', codeSplitting: false });
  await build.close();
  return threads;
}

/** A module named by its address is the program of a thread, and becomes a file of its own. */
const THREAD = /new URL\('(\.[^']+)\.ts', import\.meta\.url\)/g;

/** A module goes on seeing the place it has in the repository, below the bundle's folder. */
const keepPlaces = (folder: string, threads: Set<string>): Plugin => ({
  name: 'keep-places',
  transform(code, id) {
    if (id.includes('node_modules') || !code.includes('import.meta.')) return null;
    const place = relative(join(ROOT, folder), id);
    return code
      .replaceAll(THREAD, (_, module: string) => {
        threads.add(join(dirname(id), `${module}.ts`));
        return `new URL('${module}.js', import.meta.url)`;
      })
      .replaceAll(
        'import.meta.url',
        `new URL(${JSON.stringify(`./${place}`)}, import.meta.url).href`,
      )
      .replaceAll(
        'import.meta.dirname',
        `(import.meta.dirname + ${JSON.stringify(`/${dirname(place)}`)})`,
      );
  },
});

async function copyFiles(script: string, outDir: string): Promise<void> {
  const project = script.split('/').slice(0, 2).join('/');
  const pattern = `{${project},libs/*/src}/**/*.{${READ_AT_RUN_TIME.join(',')}}`;
  for await (const file of glob(pattern, {
    cwd: ROOT,
    exclude: ['**/{node_modules,dist,fixtures,test}/**'],
  })) {
    await copy(file, outDir);
  }
}

async function copy(file: string, outDir: string): Promise<void> {
  const target = join(outDir, file);
  await mkdir(dirname(target), { recursive: true });
  await cp(join(ROOT, file), target);
}
