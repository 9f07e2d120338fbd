import type { IncomingMessage } from 'node:http';
import { Refusal } from '@manifold/errors';
import { readBody } from '@manifold/service';
import { z } from 'zod';

export const MAX_BODY_BYTES = 256 * 1024;
const MAX_NESTING = 32;

const Operation = z.object({
  query: z.string().min(1),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().max(256).nullish(),
});
export type Operation = z.infer<typeof Operation>;

/** Reads the one operation of a request; refuses what is too large, too deep, or not one operation. */
export async function readOperation(request: IncomingMessage): Promise<Operation> {
  if (!/^application\/(json|graphql\+json)\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw unreadable('The content type is not application/json', 'Send the operation as JSON.');
  }
  const body = await readBody(request, MAX_BODY_BYTES);
  const sent = parseJson(body);
  if (Array.isArray(sent)) {
    throw unreadable('The request holds several operations', 'Send one operation per request.');
  }
  const operation = Operation.safeParse(sent);
  if (!operation.success || nestsDeeper(sent, MAX_NESTING)) {
    throw unreadable(
      'The request holds no operation that can be read',
      'Send `{"query": "…", "variables": {…}}`.',
    );
  }
  return operation.data;
}

/** Reads the operation of a `GET`, in the words GraphQL over HTTP has for it. */
export function readUrlOperation({ url = '' }: IncomingMessage): Operation {
  const { searchParams } = new URL(url, 'http://gateway');
  const sent = Object.fromEntries(searchParams);
  const variables = sent['variables'] === undefined ? undefined : readJson(sent['variables']);
  const operation = Operation.safeParse({ ...sent, variables });
  if (operation.success && !nestsDeeper(variables, MAX_NESTING)) return operation.data;
  throw unreadable(
    'The address holds no operation that can be read',
    'Send `?query=…&variables=…`.',
  );
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable('The variables are not JSON', 'Send `variables={…}`.');
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw unreadable('The request body is not JSON', 'Send `{"query": "…", "variables": {…}}`.');
  }
}

/** Walks level by level, so that a deep value cannot exhaust the stack. */
function nestsDeeper(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = level.flatMap((part) =>
      typeof part === 'object' && part !== null
        ? Object.values(part).filter((inner) => typeof inner === 'object' && inner !== null)
        : [],
    );
  }
  return false;
}

const unreadable = (message: string, fix: string): Refusal =>
  new Refusal('invalid', message, { reason: 'invalid_input', fix });
