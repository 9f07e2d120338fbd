import { FAULT_KINDS } from '../faults/faults.ts';
import { type GenerateSize, generate } from '../generate/generate.ts';
import type { Incoming } from '../http/incoming.ts';
import { notFound, refused } from '../http/problem.ts';
import { json, type Reply } from '../http/reply.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { countLeads } from '../leads/store.ts';
import { limitRules } from '../limits/limits.ts';
import { listApps, listGrants, saveApp } from '../oauth/grants.ts';
import { uninstall } from '../oauth/uninstall.ts';
import { countRecords } from '../records/store.ts';
import { listUsers } from '../users/users.ts';
import { listDeliveries } from '../webhooks/deliveries.ts';
import { listSubscriptions } from '../webhooks/subscriptions.ts';
import type { World } from '../world.ts';
import { readLimits } from './limits.ts';
import { readNumber, readText, readTexts } from './values.ts';

type Control = (body: JsonObject, query: URLSearchParams, world: World) => Reply | Promise<Reply>;

const routes: Record<string, Control> = {
  'GET /control/state': (_, __, world) => json(200, describeState(world)),
  'POST /control/apps': putApp,
  'POST /control/generate': (body, _, world) => json(200, generate(world, readSize(body))),
  'GET /control/limits': (_, __, world) => json(200, world.limiter.rules),
  'PUT /control/limits': (body, _, world) => {
    world.limiter.rules = limitRules(readLimits(body));
    return json(200, world.limiter.rules);
  },
  'POST /control/faults': addFault,
  'GET /control/faults': (_, __, world) => json(200, world.faults.list()),
  'DELETE /control/faults': (_, __, world) => {
    world.faults.clear();
    return json(200, []);
  },
  'GET /control/requests': (_, query, world) =>
    json(200, world.ledger.requests(readCount(query, 5_000))),
  'GET /control/ledger': (_, __, world) => {
    const { dailyTokens } = world.limiter.rules;
    return json(200, { ...world.ledger.spendingToday(), dailyTokens });
  },
  'GET /control/deliveries': (_, query, world) =>
    json(200, listDeliveries(world.db, readCount(query, 2_000))),
  'POST /control/uninstall': uninstallApp,
  'POST /control/reset': (_, __, world) => {
    resetRecords(world);
    return json(200, describeState(world));
  },
};

/** The sandbox's own door, which Pipedrive does not have: state, apps, data, limits, faults. */
export async function answerControl(incoming: Incoming, world: World): Promise<Reply> {
  const route = routes[`${incoming.method} ${incoming.path}`];
  if (route === undefined) throw notFound('Unknown control endpoint');
  return route(readBody(incoming.text), incoming.query, world);
}

function describeState(world: World) {
  const { db } = world;
  return {
    company: world.company,
    users: listUsers(db).map(({ id, name, email, admin, apiToken }) => ({
      id,
      name,
      email,
      admin,
      apiToken,
    })),
    apps: listApps(db).map(({ clientId, name, redirectUris, scopes }) => ({
      clientId,
      name,
      redirectUris,
      scopes,
    })),
    grants: listGrants(db).map((grant) => ({ clientId: grant.client_id, userId: grant.user_id })),
    counts: {
      persons: countRecords(db, 'person'),
      organizations: countRecords(db, 'organization'),
      leads: countLeads(db),
      webhooks: listSubscriptions(db).length,
    },
    limits: world.limiter.rules,
  };
}

function putApp(body: JsonObject, _: URLSearchParams, world: World): Reply {
  const app = {
    clientId: readText(body, 'clientId'),
    clientSecret: readText(body, 'clientSecret'),
    name: readText(body, 'name', readText(body, 'clientId')),
    redirectUris: readTexts(body, 'redirectUris'),
    scopes: readTexts(body, 'scopes'),
  };
  const bad = app.redirectUris.find((uri) => !URL.canParse(uri));
  if (bad !== undefined) throw refused(400, 'redirectUris must be URLs');
  saveApp(world.db, app);
  const { clientSecret: _secret, ...shown } = app;
  return json(200, shown);
}

function readSize(body: JsonObject): GenerateSize {
  const seed = body.seed ?? 1;
  return {
    seed: String(typeof seed === 'object' ? JSON.stringify(seed) : seed),
    persons: readNumber(body, 'persons', 0),
    organizations: readNumber(body, 'organizations', 0),
    leads: readNumber(body, 'leads', 0),
  };
}

function addFault(body: JsonObject, _: URLSearchParams, world: World): Reply {
  const kind = FAULT_KINDS.find((known) => known === body.kind);
  if (kind === undefined) throw refused(400, `kind must be one of ${FAULT_KINDS.join(', ')}`);
  const match = isObject(body.match) ? body.match : {};
  const optional = (key: string) =>
    match[key] === undefined ? {} : { [key]: readText(match, key) };
  const fault = world.faults.add({
    kind,
    match: { ...optional('method'), ...optional('path'), ...optional('event') },
    ms: readNumber(body, 'ms', 0),
    times: body.times === undefined ? null : readNumber(body, 'times', 1),
  });
  return json(201, fault);
}

async function uninstallApp(body: JsonObject, _: URLSearchParams, world: World): Promise<Reply> {
  const at = { clientId: readText(body, 'clientId'), userId: readNumber(body, 'userId', 0) };
  const callbackStatus = await uninstall(world, at);
  if (callbackStatus === undefined) throw notFound('This app is not installed by this user');
  return json(200, { callbackStatus });
}

/** Records, leads, deliveries and the ledger go; fields, webhooks, apps and consents stay. */
function resetRecords({ db, ledger }: World): void {
  db.transaction(() => {
    for (const table of ['person', 'organization', 'lead', 'term', 'delivery'])
      db.run(`delete from ${table}`);
    ledger.clear();
  });
}

function readBody(text: string): JsonObject {
  if (text.trim() === '') return {};
  try {
    const value: Json = JSON.parse(text);
    // `PUT /control/limits` also takes a bare "off"
    return isObject(value) ? value : { plan: value };
  } catch {
    throw refused(400, 'Invalid JSON in request body');
  }
}

function readCount(query: URLSearchParams, most: number): number {
  const count = Number(query.get('limit') ?? 100);
  return Number.isFinite(count) ? Math.min(Math.max(1, count), most) : 100;
}
