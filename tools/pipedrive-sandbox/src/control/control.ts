import { type GenerateSize, generate } from '../generate/generate.ts';
import type { Incoming } from '../http/incoming.ts';
import { notFound, refused } from '../http/problem.ts';
import { json, type Reply } from '../http/reply.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { limitRules } from '../limits/limits.ts';
import { saveApp } from '../oauth/apps.ts';
import { uninstall } from '../oauth/uninstall.ts';
import { listDeliveries } from '../webhooks/deliveries.ts';
import type { World } from '../world.ts';
import { addFault } from './faults.ts';
import { addGrantFault, changeUser, expireTokens, showGrants } from './grants.ts';
import { readLimits } from './limits.ts';
import { edit, listDuplicates } from './records.ts';
import { resetRecords } from './reset.ts';
import { describeState } from './state.ts';
import { readNumber, readText, readTexts } from './values.ts';
import { banWebhook, deleteWebhook } from './webhooks.ts';

const MOST_ADVANCE_MS = 10 * 365 * 86_400_000;

type Control = (body: JsonObject, query: URLSearchParams, world: World) => Reply | Promise<Reply>;

const routes: Record<string, Control> = {
  'GET /control/state': (_, __, world) => json(200, describeState(world)),
  'POST /control/apps': putApp,
  'POST /control/generate': (body, _, world) => json(200, generate(world, readSize(body))),
  'GET /control/limits': (_, __, world) => json(200, world.limiter.rules),
  'PUT /control/limits': (body, _, world) => {
    world.limiter.rules = limitRules(readLimits(body));
    world.limiter.edge.clear();
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
  'GET /control/windows': (_, query, world) => {
    const { windows } = world.limiter;
    return json(200, { ...windows.summary(), windows: windows.list(readCount(query, 5_000)) });
  },
  'DELETE /control/windows': (_, __, world) => {
    world.limiter.windows.clear();
    return json(200, {});
  },
  'GET /control/deliveries': (_, query, world) =>
    json(200, listDeliveries(world.db, readCount(query, 2_000))),
  'GET /control/duplicates': listDuplicates,
  'POST /control/edit': edit,
  'POST /control/clock': advanceClock,
  'GET /control/grants': showGrants,
  'POST /control/grants/expire': expireTokens,
  'POST /control/grants/faults': addGrantFault,
  'GET /control/grants/faults': (_, __, world) => json(200, world.refreshes.listFaults()),
  'DELETE /control/grants/faults': (_, __, world) => {
    world.refreshes.clearFaults();
    return json(200, []);
  },
  'POST /control/users/{id}': changeUser,
  'POST /control/webhooks/{id}/ban': banWebhook,
  'POST /control/webhooks/{id}/delete': deleteWebhook,
  'POST /control/uninstall': uninstallApp,
  'POST /control/reset': (_, __, world) => {
    resetRecords(world);
    return json(200, describeState(world));
  },
};

/** The sandbox's own door, which Pipedrive does not have: state, apps, data, limits, faults. */
export async function answerControl(incoming: Incoming, world: World): Promise<Reply> {
  const { method, path, text, query } = incoming;
  const [, id] = /\/(\d{1,15})(?:\/|$)/.exec(path) ?? [];
  const route = routes[`${method} ${id === undefined ? path : path.replace(id, '{id}')}`];
  if (route === undefined) throw notFound('Unknown control endpoint');
  const body = readBody(text);
  return route(id === undefined ? body : { ...body, id: Number(id) }, query, world);
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
    deals: readNumber(body, 'deals', 0),
    products: readNumber(body, 'products', 0),
    activities: readNumber(body, 'activities', 0),
    notes: readNumber(body, 'notes', 0),
  };
}

function advanceClock(body: JsonObject, _: URLSearchParams, world: World): Reply {
  const ms = body.advanceMs;
  if (typeof ms !== 'number' || !(ms >= 0 && ms <= MOST_ADVANCE_MS))
    throw refused(400, 'advanceMs must be a number of milliseconds, ten years at most');
  world.clock.advance(ms);
  return json(200, { now: world.now().toISOString() });
}

async function uninstallApp(body: JsonObject, _: URLSearchParams, world: World): Promise<Reply> {
  const at = { clientId: readText(body, 'clientId'), userId: readNumber(body, 'userId', 0) };
  const callbackStatus = await uninstall(world, at);
  if (callbackStatus === undefined) throw notFound('This app is not installed by this user');
  return json(200, { callbackStatus });
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
