import type { Installation } from '@manifold/dev/installation';
import { isCustomCode } from '@manifold/pipedrive';
import { z } from 'zod';
import { type Figure, seconds } from '../measuring/figures.ts';

const BARE_LOOPS = 7;
/** As contacts asks for them. */
const PAGE_SIZE = 500;
/** Pipedrive takes no more names in one list; with more, all custom fields come. */
const MOST_CUSTOM_FIELDS = 15;

/** The built-in field among the mapping's that lists leave out unless asked. */
const LEFT_OUT = 'marketing_status';

const OBJECTS = [
  ['ORGANIZATION', '/api/v2/organizations'],
  ['PERSON', '/api/v2/persons'],
] as const;

/** The demo's sync, against a loop that fetches and parses the same pages and does nothing else. */
export async function measureSync(manifold: Installation): Promise<Figure[]> {
  const run = await readRun(manifold);
  const addresses = await readAddresses(manifold);
  const bareSeconds: number[] = [];
  for (let loop = 0; loop < BARE_LOOPS; loop += 1) {
    const startedAt = performance.now();
    const records = await readPages(manifold, addresses);
    bareSeconds.push(seconds(performance.now() - startedAt));
    // the people signed up meanwhile are persons too
    if (records < run.records)
      throw new Error(`The bare loop read ${records} of ${run.records} records.`);
  }
  return [
    { name: 'sync', unit: 's', samples: [run.seconds] },
    { name: 'sync', unit: 'records/s', samples: [run.records / run.seconds] },
    { name: 'bare loop over the same pages', unit: 's', samples: bareSeconds },
    {
      name: 'sync to bare loop',
      unit: 'ratio',
      samples: bareSeconds.map((bare) => run.seconds / bare),
    },
  ];
}

const LastRun = z.object({
  state: z.literal('SUCCEEDED'),
  startedAt: z.coerce.date(),
  endedAt: z.coerce.date(),
  progress: z.object({ done: z.int().positive() }),
});

async function readRun(manifold: Installation): Promise<{ seconds: number; records: number }> {
  const graph = await manifold.graph();
  const { dataSources } = await graph(
    '{ dataSources(first: 1) { nodes { lastRun { state startedAt endedAt progress { done } } } } }',
    {},
    z.object({ dataSources: z.object({ nodes: z.tuple([z.object({ lastRun: LastRun })]) }) }),
  );
  const { startedAt, endedAt, progress } = dataSources.nodes[0].lastRun;
  return { seconds: seconds(endedAt.getTime() - startedAt.getTime()), records: progress.done };
}

const Source = z.object({ object: z.string(), field: z.string().nullable() });
const Mapping = z.object({ rows: z.array(z.object({ source: Source })) });

/** The first page of each list, asking for the fields the mapping uses as connections does. */
async function readAddresses(manifold: Installation): Promise<string[]> {
  const graph = await manifold.graph();
  const { fieldMappings } = await graph(
    '{ fieldMappings(filter: { purpose: CONTACTS_FROM_PIPEDRIVE }, first: 1) { nodes { rows { source { object field } } } } }',
    {},
    z.object({ fieldMappings: z.object({ nodes: z.tuple([Mapping]) }) }),
  );
  const sources = fieldMappings.nodes[0].rows.map(({ source }) => source);
  return OBJECTS.map(([object, path]) => {
    const used = sources.flatMap((source) => (source.object === object ? [source.field] : []));
    const codes = [...new Set(used)].filter((code) => code !== null && isCustomCode(code));
    const query = new URLSearchParams({ limit: String(PAGE_SIZE) });
    if (codes.length > 0 && codes.length <= MOST_CUSTOM_FIELDS)
      query.set('custom_fields', codes.join(','));
    if (used.includes(LEFT_OUT)) query.set('include_fields', LEFT_OUT);
    return `${path}?${query.toString()}`;
  });
}

const Page = z.object({
  data: z.array(z.unknown()),
  additional_data: z.object({ next_cursor: z.string().nullish() }),
});

/** Returns how many records there were. */
async function readPages(manifold: Installation, addresses: readonly string[]): Promise<number> {
  const { sandbox } = await manifold.endpoints();
  const headers = { 'x-api-token': sandbox.apiToken };
  let records = 0;
  for (const address of addresses) {
    const url = new URL(address, sandbox.url);
    let cursor: string | null | undefined;
    do {
      if (cursor != null) url.searchParams.set('cursor', cursor);
      const page = Page.parse(await (await fetch(url, { headers })).json());
      records += page.data.length;
      cursor = page.additional_data.next_cursor;
    } while (cursor != null);
  }
  return records;
}
