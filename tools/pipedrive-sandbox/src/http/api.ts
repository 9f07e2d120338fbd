import { activityTypeHandlers } from '../activities/types.ts';
import { changelogHandlers } from '../changelog/handlers.ts';
import { dealProductHandlers } from '../deals/products.ts';
import { fieldHandlers } from '../fields/handlers.ts';
import { leadHandlers } from '../leads/handlers.ts';
import { leadLabelHandlers } from '../leads/labels.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import { findRoute, type Route } from '../operations.ts';
import { mergeHandlers } from '../merge/handlers.ts';
import { noteHandlers } from '../notes/handlers.ts';
import { recordHandlers } from '../records/handlers.ts';
import { purgeDeleted } from '../records/purge.ts';
import { searchHandlers } from '../search/handlers.ts';
import { userHandlers } from '../users/handlers.ts';
import { webhookHandlers } from '../webhooks/handlers.ts';
import type { World } from '../world.ts';
import type { Actor } from './actor.ts';
import type { Handlers } from './api-request.ts';
import { readBody } from './body.ts';
import { authenticate } from './credentials.ts';
import { pageOf } from './html-page.ts';
import type { Incoming } from './incoming.ts';
import { invalid, notFound, Problem, refused, scopeMismatch } from './problem.ts';
import { html, problemReply, type Reply } from './reply.ts';
import { checkQuery } from './validate.ts';

/** Every operation the sandbox serves, by `<version> <operation id>`. */
export const handlers: Handlers = {
  ...recordHandlers,
  ...activityTypeHandlers,
  ...dealProductHandlers,
  ...noteHandlers,
  ...mergeHandlers,
  ...changelogHandlers,
  ...fieldHandlers,
  ...searchHandlers,
  ...leadHandlers,
  ...leadLabelHandlers,
  ...userHandlers,
  ...webhookHandlers,
};

/** What the ledger learns about a request on its way. */
export type Note = Pick<LedgerEntry, 'operationId' | 'price' | 'credential'>;

function splitVersion(path: string): { version: 'v1' | 'v2'; rest: string } | undefined {
  const [, prefix, rest] = /^\/(api\/v1|v1|api\/v2)(\/.*)$/.exec(path) ?? [];
  if (prefix === undefined || rest === undefined) return undefined;
  return { version: prefix === 'api/v2' ? 'v2' : 'v1', rest };
}

/** Takes a REST request through route, credential, limits, scope and validation to its handler. */
export async function answerApi(incoming: Incoming, world: World, note: Note): Promise<Reply> {
  const { operation, params } = route(incoming);
  note.operationId = operation.id;
  const actor = authenticate(incoming.headers, world);
  note.credential = actor.kind;

  const verdict = world.limiter.admit(actor, operation);
  if (verdict.outcome === 'blocked') return edgeBlock();
  if (verdict.outcome === 'refused') return { ...overLimit(), headers: verdict.headers };
  world.ledger.charge(operation);
  note.price = operation.price;

  const reply = await answerAdmitted({ operation, params }, actor, { incoming, world });
  return { ...reply, headers: { ...reply.headers, ...verdict.headers } };
}

/** What a request does once it has been let in. */
export async function answerAdmitted(
  { operation, params }: Route,
  actor: Actor,
  { incoming, world }: { incoming: Incoming; world: World },
): Promise<Reply> {
  try {
    requireScope(actor, operation.scopes);
    const handler = handlers[`${operation.version} ${operation.id}`];
    if (handler === undefined)
      throw refused(501, `The sandbox does not serve ${operation.method} ${operation.path}`);
    purgeDeleted(world);
    const issues = checkQuery(operation, incoming.query);
    if (issues.length > 0) throw invalid(issues);
    const body = readBody(operation, incoming);
    // lets a test play a person who works in Pipedrive's own pages
    const changeSource = incoming.headers['x-sandbox-change-source'] === 'app' ? 'app' : 'api';
    const { query } = incoming;
    return await handler({ operation, params, query, body, actor, changeSource }, world);
  } catch (error) {
    if (error instanceof Problem) return problemReply(error);
    throw error;
  }
}

function route({ method, path }: Incoming): Route {
  const split = splitVersion(path);
  const found = split && findRoute(split.version, method, split.rest);
  if (found === 'method') throw refused(405, 'Method Not Allowed');
  if (found === undefined) throw notFound('Unknown endpoint');
  return found;
}

function requireScope(actor: Actor, scopes: string[]): void {
  const granted = actor.app?.scopes;
  if (granted !== undefined && !scopes.some((scope) => granted.includes(scope)))
    throw scopeMismatch();
}

/** What stands in front of Pipedrive answers in HTML, with its own words. */
function edgeBlock(): Reply {
  const text = '<p>You have been blocked. This website is using a security service.</p>';
  return html(403, pageOf('Access denied', text));
}

/** The body of a 429 is undocumented; only its message is. */
export function overLimit(): Reply {
  return problemReply(
    new Problem(429, { success: false, error: 'request over limit', errorCode: 429 }),
  );
}
