import type { MergePolicy, Permission, PermissionChannel } from '@manifold/contracts';
import { decidePermissions, USUAL_PERMISSIONS } from '@manifold/mapping';
import type { Subscription, Subscriptions } from '../store.ts';

const channels = ['email', 'sms', 'viber'] as const satisfies readonly PermissionChannel[];

export interface SubscriptionPlan {
  subscriptions: Subscriptions;
  /** The channels that were decided now. */
  decided: PermissionChannel[];
}

/** What a record makes of the subscriptions of its contact; what was said before stays (A4, A5, WX-14). */
export function planSubscriptions(options: {
  /** Undefined: the contact is new. */
  existing: Subscriptions | undefined;
  mapped: Readonly<Record<string, Permission | null>>;
  marketingStatus: string | null;
  policy: MergePolicy;
  now: Date;
}): SubscriptionPlan {
  const { existing, mapped, marketingStatus, policy, now } = options;
  const { permissions, decided } = decidePermissions({
    existing: existing && permissionsOf(existing),
    ...{ mapped, marketingStatus, policy, defaults: defaultsFor(mapped) },
  });
  const added = decided.flatMap(({ channel, by }) => {
    const permission = permissions[channel];
    return permission === undefined
      ? []
      : [[channel, { permission, by, since: now.toISOString() }]];
  });
  return {
    subscriptions: { ...existing, ...Object.fromEntries(added) },
    decided: decided.map(({ channel }) => channel),
  };
}

/** A row that has nothing to go by yet may answer later, so nobody refuses in its place (WX-13). */
const defaultsFor = (mapped: Readonly<Record<string, Permission | null>>) =>
  Object.fromEntries(
    Object.entries(USUAL_PERMISSIONS).filter(
      ([channel, permission]) => permission === 'subscribed' || mapped[channel] !== null,
    ),
  );

const permissionsOf = (subscriptions: Subscriptions) =>
  Object.fromEntries(
    channels.flatMap((channel) => {
      const permission = subscriptions[channel]?.permission;
      return permission === undefined ? [] : [[channel, permission]];
    }),
  );

/** Undefined: the person said so already. */
export function decideByPerson(
  before: Subscriptions,
  { channel, permission, now }: { channel: PermissionChannel; permission: Permission; now: Date },
): Subscriptions | undefined {
  const known = before[channel];
  if (known?.by === 'person' && known.permission === permission) return undefined;
  return { ...before, [channel]: { permission, by: 'person', since: now.toISOString() } };
}

/** Of two people merged into one, what either refused stays refused; undefined when nothing changes. */
export function inheritRefusals(
  heir: Subscriptions,
  leaving: Subscriptions,
): Subscriptions | undefined {
  const refused = channels.flatMap((channel) => {
    const theirs = leaving[channel];
    const isRefusal = theirs?.by === 'person' && theirs.permission === 'unsubscribed';
    const isKnown = heir[channel]?.by === 'person';
    return isRefusal && !isKnown ? [[channel, theirs] as const] : [];
  });
  return refused.length === 0 ? undefined : { ...heir, ...Object.fromEntries(refused) };
}

const SOURCES = {
  row: 'MAPPED_FIELD',
  marketing_status: 'MARKETING_STATUS',
  default: 'DEFAULT',
  person: 'PERSON',
} as const satisfies Record<Subscription['by'], string>;

/** As the graph shows them; a channel nobody was asked about is left out. */
export const viewSubscriptions = (subscriptions: Subscriptions) =>
  channels.flatMap((channel) => {
    const known = subscriptions[channel];
    if (known === undefined) return [];
    const { permission, by, since } = known;
    const view = { channel: channel.toUpperCase(), state: permission.toUpperCase() };
    return [{ ...view, source: SOURCES[by], since: new Date(since) }];
  });
