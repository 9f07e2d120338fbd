import { notFound } from '../http/problem.ts';
import { json, type Reply } from '../http/reply.ts';
import type { JsonObject } from '../json.ts';
import { banned, findHealth, saveHealth } from '../webhooks/health.ts';
import {
  describeSubscription,
  findSubscription,
  removeSubscription,
  retireSubscription,
  type Subscription,
} from '../webhooks/subscriptions.ts';
import type { World } from '../world.ts';

/** As if ten first attempts had failed. */
export function banWebhook(body: JsonObject, _: URLSearchParams, world: World): Reply {
  const hook = requireHook(body, world);
  saveHealth(world.db, hook.id, banned(findHealth(world.db, hook.id), world.now().getTime()));
  return json(200, describeSubscription(world.db, hook, world.now()));
}

/** Somebody deletes it; with `silence: true` Pipedrive does, after three days without a successful delivery. */
export function deleteWebhook(body: JsonObject, _: URLSearchParams, world: World): Reply {
  const hook = requireHook(body, world);
  world.db.transaction(() => {
    if (body.silence === true) retireSubscription(world.db, hook.id, world.now());
    else removeSubscription(world.db, hook.id);
  });
  return json(200, { id: hook.id });
}

function requireHook(body: JsonObject, { db }: World): Subscription {
  const hook = findSubscription(db, Number(body.id));
  if (hook === undefined) throw notFound('There is no such webhook');
  return hook;
}
