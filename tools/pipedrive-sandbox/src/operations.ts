import { readFileSync } from 'node:fs';

/** The part of JSON Schema that Pipedrive's request bodies use. */
export interface ValueSchema {
  type: 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array' | 'any';
  nullable?: true;
  enum?: (string | number)[];
  maxLength?: number;
  format?: 'date';
  items?: ValueSchema;
  properties?: Record<string, ValueSchema>;
  required?: string[];
  /** Unknown keys are allowed. */
  open?: true;
}

export interface QueryParameter {
  type: 'string' | 'integer' | 'number' | 'boolean';
  required?: true;
  enum?: string[];
  /** Comma separated. */
  list?: true;
}

/** One operation of Pipedrive's published API. `price` is in API tokens per request. */
export interface Operation {
  id: string;
  version: 'v1' | 'v2';
  method: string;
  path: string;
  price: number;
  /** Any one of these lets an OAuth token in. */
  scopes: string[];
  query: Record<string, QueryParameter>;
  body?: ValueSchema;
}

/** Every operation Pipedrive publishes, served here or not. */
export const operations: readonly Operation[] = readFileSync(
  new URL('./tables/operations.jsonl', import.meta.url),
  'utf8',
)
  .trimEnd()
  .split('\n')
  .map((line): Operation => JSON.parse(line));

export interface Route {
  operation: Operation;
  params: Record<string, string>;
}

interface Candidate {
  operation: Operation;
  segments: string[];
}

// routes with fewer parameters first, so that `/persons/search` is not a person's id
const candidates: Candidate[] = operations
  .map((operation) => ({ operation, segments: operation.path.split('/').slice(1) }))
  .sort((a, b) => parameters(a) - parameters(b));

const bySize = Map.groupBy(
  candidates,
  ({ operation, segments }) => `${operation.version} ${segments.length}`,
);

/** `undefined` is an unknown path; `method` is a known path under another verb. */
export function findRoute(
  version: 'v1' | 'v2',
  method: string,
  path: string,
): Route | 'method' | undefined {
  const segments = path.split('/').slice(1);
  const fitting = (bySize.get(`${version} ${segments.length}`) ?? []).filter((candidate) =>
    candidate.segments.every((part, at) => part.startsWith('{') || part === segments[at]),
  );
  const found = fitting.find(({ operation }) => operation.method === method);
  if (found === undefined) return fitting.length > 0 ? 'method' : undefined;
  return { operation: found.operation, params: readParams(found.segments, segments) };
}

function readParams(pattern: string[], segments: string[]): Record<string, string> {
  const pairs = pattern.flatMap((part, at) =>
    part.startsWith('{') ? [[part.slice(1, -1), decodeURIComponent(segments[at] ?? '')]] : [],
  );
  return Object.fromEntries(pairs);
}

function parameters({ segments }: Candidate): number {
  return segments.filter((part) => part.startsWith('{')).length;
}
