import { isDeepStrictEqual } from 'node:util';

/** What is in a folder, by file name; the text of each file parsed as JSON. */
export type Folder = ReadonlyMap<string, unknown>;

/** What differs between the schemas wanted, the schemas kept and the examples; one sentence each. */
export function listProblems(folders: {
  wanted: Folder;
  schemas: Folder;
  examples: Folder;
}): string[] {
  const { wanted, schemas, examples } = folders;
  const names = [...wanted.keys()];
  const stale = names.filter((name) => !isDeepStrictEqual(schemas.get(name), wanted.get(name)));
  const leftOver = (folder: Folder) => [...folder.keys()].filter((name) => !wanted.has(name));
  return [
    ...stale.map((name) => `schemas/${name} is stale or missing: npm run event-schemas`),
    ...leftOver(schemas).map((name) => `schemas/${name} belongs to no event`),
    ...names.filter((name) => !examples.has(name)).map((name) => `examples/${name} is missing`),
    ...leftOver(examples).map((name) => `examples/${name} belongs to no event`),
  ];
}
