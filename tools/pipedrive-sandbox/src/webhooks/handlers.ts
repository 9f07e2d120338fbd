import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import type { ApiRequest, Handlers } from '../http/api-request.ts';
import { Problem } from '../http/problem.ts';
import { json, type Reply } from '../http/reply.ts';
import { isObject, type JsonObject, textOf } from '../json.ts';
import { findUser } from '../users/users.ts';
import type { World } from '../world.ts';
import {
  describeSubscription,
  findSubscription,
  insertSubscription,
  isRemoved,
  listSubscriptions,
  removeSubscription,
  type Subscription,
  saveSubscriptionData,
} from './subscriptions.ts';

const MAX_PER_USER = 40;
const REACH_TIMEOUT_MS = 2_000;

export const webhookHandlers: Handlers = {
  'v1 getWebhooks': listWebhooks,
  'v1 addWebhook': addWebhook,
  'v1 deleteWebhook': deleteWebhook,
};

function listWebhooks({ actor }: ApiRequest, world: World): Reply {
  const own = listSubscriptions(world.db).filter((hook) => isVisible(hook, actor));
  const shown = own.map((hook) => describeSubscription(world.db, hook, world.now()));
  return json(200, { status: 'ok', success: true, data: shown });
}

/** An app sees its own webhooks only; they are hidden from everybody else. */
function isVisible(hook: Subscription, actor: ApiRequest['actor']): boolean {
  return hook.ownerId === actor.user.id && hook.clientId === (actor.app?.clientId ?? null);
}

async function addWebhook(request: ApiRequest, world: World): Promise<Reply> {
  const body = isObject(request.body) ? request.body : {};
  await requireReachable(textOf(body.subscription_url), world.url());
  const { actor } = request;
  const userId = typeof body.user_id === 'number' ? body.user_id : actor.user.id;
  if (findUser(world.db, userId) === undefined) throw badWebhook('user_id', 'not found');
  if (body.version === '1.0') throw badWebhook('version', 'only 2.0 is served by the sandbox');
  const own = listSubscriptions(world.db).filter((hook) => isVisible(hook, actor));
  if (own.filter((hook) => !isRemoved(hook)).length >= MAX_PER_USER)
    throw new Problem(422, { status: 'error', success: false, error: 'webhooks limit reached' });

  const hook = world.db.transaction(() => {
    const inserted = insertSubscription(world.db, {
      ownerId: actor.user.id,
      clientId: actor.app?.clientId ?? null,
      action: textOf(body.event_action),
      object: textOf(body.event_object),
      data: {},
    });
    const data = describe(inserted, body, { world, userId });
    saveSubscriptionData(world.db, inserted.id, data);
    return data;
  });
  return json(201, { status: 'ok', success: true, data: hook });
}

function describe(
  hook: Subscription,
  body: JsonObject,
  { world, userId }: { world: World; userId: number },
): JsonObject {
  return {
    id: hook.id,
    company_id: world.company.id,
    owner_id: hook.ownerId,
    user_id: userId,
    event_action: hook.action,
    event_object: hook.object,
    subscription_url: body.subscription_url ?? null,
    version: '2.0',
    is_active: 1,
    add_time: world.now().toISOString(),
    remove_time: null,
    type: hook.clientId === null ? 'general' : 'application',
    http_auth_user: body.http_auth_user ?? null,
    http_auth_password: body.http_auth_password ?? null,
    remove_reason: null,
    last_delivery_time: null,
    last_http_status: null,
    admin_id: hook.ownerId,
    name: body.name ?? null,
  };
}

function deleteWebhook({ params, actor }: ApiRequest, world: World): Reply {
  const hook = findSubscription(world.db, Number(params.id));
  if (hook === undefined) throw new Problem(404, wrong('id', 'not found'));
  if (!isVisible(hook, actor)) throw new Problem(403, { success: false, message: 'Forbidden' });
  world.db.transaction(() => removeSubscription(world.db, hook.id));
  return json(200, { status: 'ok', success: true });
}

async function requireReachable(target: string, ownUrl: string): Promise<void> {
  const url = URL.parse(target);
  const unusable =
    url === null || !/^https?:$/.test(url.protocol) || url.origin === new URL(ownUrl).origin;
  if (unusable || !(await accepts(url)))
    throw badWebhook('subscription_url', 'invalid or non-reachable URL');
}

/** Whether anything accepts connections there; nothing is sent. */
async function accepts(url: URL): Promise<boolean> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const address = await lookup(host).catch(() => undefined);
  if (address === undefined) return false;
  return new Promise((resolve) => {
    const socket = connect({ host: address.address, port, timeout: REACH_TIMEOUT_MS });
    const settle = (reachable: boolean) => {
      socket.destroy();
      resolve(reachable);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
  });
}

function badWebhook(key: string, message: string): Problem {
  return new Problem(400, wrong(key, message));
}

function wrong(key: string, message: string): JsonObject {
  return { status: 'error', success: false, errors: { [key]: [message] } };
}
