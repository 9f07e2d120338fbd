import { escape } from '../http/html-page.ts';
import type { Reply } from '../http/reply.ts';
import { textOf } from '../json.ts';
import { listApps } from '../oauth/apps.ts';
import { listGrants } from '../oauth/grants.ts';
import { listUsers } from '../users/users.ts';
import { listDeliveries } from '../webhooks/deliveries.ts';
import { findHealth, isBanned } from '../webhooks/health.ts';
import { isRemoved, listSubscriptions, type Subscription } from '../webhooks/subscriptions.ts';
import type { World } from '../world.ts';
import { type Cell, livePage, section, tableOf } from './live-page.ts';
import { countShown, SHOWN_OBJECTS } from './shown.ts';

const SHOWN_REQUESTS = 40;
const SHOWN_DELIVERIES = 20;

/** The front page: everything a person wants to watch while programs use the sandbox. */
export function showOverview(world: World): Reply {
  const { company } = world;
  const content = [
    clockLine(world),
    section('Records', recordTable(world)),
    section('Newest requests', requestTable(world)),
    section('Webhooks', webhookTable(world)),
    section('Newest deliveries', deliveryTable(world)),
    section('Users', userTable(world)),
    section('Apps', appTable(world)),
    section('Faults', faultTable(world)),
  ];
  return livePage(`${company.name} – a local Pipedrive`, content.join('\n'));
}

function clockLine({ clock, ledger, limiter }: World): string {
  const factor = clock.factor === 1 ? '' : `, ${clock.factor} times faster than real time`;
  const { dailyTokens } = limiter.rules;
  const of = dailyTokens === null ? '' : ` of ${dailyTokens.toLocaleString('en')}`;
  const spent = `${ledger.tokensToday().toLocaleString('en')}${of}`;
  const now = clock.now().toISOString();
  return `<p>It is ${escape(now)}${escape(factor)}. API tokens spent today: ${escape(spent)}.</p>`;
}

function recordTable({ db }: World): string {
  const rows = SHOWN_OBJECTS.map((object): Cell[] => [
    { href: object.path, text: object.path.slice(1) },
    countShown(db, object),
  ]);
  return tableOf(['Object', 'Records'], rows, '');
}

function requestTable({ ledger }: World): string {
  const rows = ledger
    .requests(SHOWN_REQUESTS)
    .map(({ at, method, path, credential, price, status }): Cell[] => [
      at,
      method,
      path,
      credential,
      price,
      statusCell(status),
    ]);
  const heads = ['Time', 'Method', 'Path', 'Credential', 'Price', 'Status'];
  return tableOf(heads, rows, 'No requests yet.');
}

function statusCell(status: number | null): Cell {
  if (status === null) return { bad: 'cut' };
  return status < 400 ? String(status) : { bad: String(status) };
}

function webhookTable(world: World): string {
  const rows = listSubscriptions(world.db).map((hook): Cell[] => [
    hook.id,
    `${hook.action}.${hook.object}`,
    hostOf(hook),
    hook.clientId ?? 'general',
    healthCell(hook, world),
    textOf(hook.data.last_delivery_time),
    textOf(hook.data.last_http_status),
  ]);
  const heads = ['Id', 'Event', 'Host', 'App', 'Health', 'Last success', 'Last status'];
  return tableOf(heads, rows, 'No webhooks.');
}

/** The rest of a subscription's address may be a secret. */
function hostOf({ data }: Subscription): string {
  return URL.parse(textOf(data.subscription_url))?.host ?? '';
}

function healthCell(hook: Subscription, { db, now }: World): Cell {
  if (isRemoved(hook)) return { bad: 'given up' };
  const { bannedUntilMs, failures, ...health } = findHealth(db, hook.id);
  if (isBanned({ bannedUntilMs, failures, ...health }, now().getTime()))
    return { bad: `banned until ${new Date(bannedUntilMs ?? 0).toISOString()}` };
  return failures === 0 ? 'active' : `active, ${failures} failures`;
}

function deliveryTable({ db }: World): string {
  const rows = listDeliveries(db, SHOWN_DELIVERIES).map((delivery): Cell[] => [
    delivery.id,
    delivery.webhook_id,
    delivery.event,
    delivery.entity_id,
    delivery.state === 'dropped' ? { bad: 'dropped' } : delivery.state,
    delivery.attempt,
    delivery.status === null ? '–' : String(delivery.status),
  ]);
  const heads = ['Id', 'Webhook', 'Event', 'Record', 'State', 'Attempt', 'Status'];
  return tableOf(heads, rows, 'Nothing was sent yet.');
}

function userTable({ db }: World): string {
  const rows = listUsers(db).map((user): Cell[] => [
    String(user.id),
    user.name,
    user.email,
    user.admin ? 'administrator' : 'user',
    user.active ? 'active' : { bad: 'deactivated' },
    user.apiToken,
  ]);
  return tableOf(['Id', 'Name', 'E-mail', 'Role', 'State', 'API token'], rows, '');
}

function appTable(world: World): string {
  const grants = listGrants(world.db);
  const counts = world.refreshes.counts();
  const names = new Map(listUsers(world.db).map((user) => [user.id, user.name]));
  const rows = listApps(world.db).map(({ clientId, name, scopes }): Cell[] => [
    clientId,
    name,
    scopes.join(' '),
    grants
      .filter((grant) => grant.client_id === clientId)
      .map((grant) => names.get(grant.user_id) ?? String(grant.user_id))
      .join(', '),
    counts
      .filter((count) => count.clientId === clientId)
      .reduce((sum, count) => sum + count.asked, 0),
  ]);
  const heads = ['Client id', 'Name', 'Scopes', 'Installed by', 'Refresh calls'];
  return tableOf(heads, rows, 'No apps.');
}

function faultTable({ faults }: World): string {
  const rows = faults
    .list()
    .map(({ kind, match, share, times, struck }): Cell[] => [
      kind,
      match.method ?? match.event ?? 'all',
      `${Math.round(share * 100)} %`,
      times === null ? 'until removed' : `${times} more`,
      struck,
    ]);
  return tableOf(['Kind', 'Of', 'Share', 'Strikes', 'Struck'], rows, 'No faults.');
}
