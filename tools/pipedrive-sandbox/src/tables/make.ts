/**
 * Makes `operations.jsonl` from Pipedrive's two OpenAPI documents:
 * `node src/tables/make.ts <folder with pipedrive-openapi-v1.yaml and -v2.yaml>`.
 * Run again when the documents change; the result is checked in.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Operation, QueryParameter, ValueSchema } from '../operations.ts';
import { amend } from './amendments.ts';
import { resolveSchema, type Source, simplify } from './schema.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('Usage: node src/tables/make.ts <folder>');

const VERBS = ['get', 'post', 'put', 'patch', 'delete'];
const operations = (['v1', 'v2'] as const).flatMap((version) => {
  const file = join(folder, `pipedrive-openapi-${version}.yaml`);
  return readDocument(version, parse(readFileSync(file, 'utf8'), { maxAliasCount: -1 }));
});
const lines = operations.map((operation) => JSON.stringify(amend(operation)));
writeFileSync(new URL('./operations.jsonl', import.meta.url), `${lines.join('\n')}\n`);

function readDocument(version: 'v1' | 'v2', document: Source): Operation[] {
  return Object.entries(document.paths)
    .filter(([path]) => !path.startsWith('/oauth/'))
    .flatMap(([path, item]: [string, Source]) =>
      VERBS.filter((verb) => item[verb] !== undefined).map((verb) =>
        readOperation({ version, path, verb, item, document }),
      ),
    );
}

function readOperation(at: {
  version: 'v1' | 'v2';
  path: string;
  verb: string;
  item: Source;
  document: Source;
}): Operation {
  const source = at.item[at.verb];
  const parameters: Source[] = [...(at.item.parameters ?? []), ...(source.parameters ?? [])].map(
    (parameter) => resolveSchema(parameter, at.document),
  );
  const query = parameters.filter((parameter) => parameter.in === 'query').map(readParameter);
  const body = readBody(source, at.document);
  return {
    id: source.operationId,
    version: at.version,
    method: at.verb.toUpperCase(),
    path: at.path,
    price: source['x-token-cost'],
    scopes: (source.security ?? []).flatMap((entry: Source) => entry.oauth2 ?? []),
    query: Object.fromEntries(query),
    ...(body === undefined ? {} : { body }),
  };
}

function readParameter(parameter: Source): [string, QueryParameter] {
  const { type, enum: allowed } = parameter.schema;
  // the documents give a list's members as a plain enum and say "comma" only in the prose
  const list = /comma[- ]separated string array/i.test(parameter.description ?? '');
  const members = allowed?.map(String).filter((value: string) => !value.includes(','));
  return [
    parameter.name,
    {
      type,
      ...(parameter.required ? { required: true } : {}),
      ...(members ? { enum: members } : {}),
      ...(list || (allowed && members.length < allowed.length) ? { list: true } : {}),
    },
  ];
}

function readBody(source: Source, document: Source): ValueSchema | undefined {
  const request = resolveSchema(source.requestBody, document);
  const schema = request?.content?.['application/json']?.schema;
  return schema === undefined ? undefined : simplify(schema, document);
}
