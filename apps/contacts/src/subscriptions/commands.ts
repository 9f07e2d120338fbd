import {
  type ContactId,
  type Permission,
  type PermissionChannel,
  SubscriptionChanged,
  type WorkspaceId,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { type Origin, publish } from '@manifold/messaging';
import { lockEntities } from '../entities/store.ts';
import type { Db, Tx } from '../store.ts';
import { decideByPerson, inheritRefusals } from './rules.ts';
import { setSubscriptions } from './store.ts';

/** A person says what a contact allows; no sync ever changes that again (WX-14). */
export async function setSubscription(
  deps: { db: Db; now: () => Date },
  call: {
    origin: Origin;
    contactId: ContactId;
    channel: PermissionChannel;
    permission: Permission;
  },
): Promise<void> {
  const { origin, contactId, channel, permission } = call;
  const { workspaceId } = origin;
  const now = deps.now();
  await withWorkspace(deps.db, workspaceId, async (tx) => {
    const [contact] = await lockEntities(tx, workspaceId, { object: 'person', ids: [contactId] });
    if (!contact) throw noContact(contactId);
    const subscriptions = decideByPerson(contact.subscriptions, { channel, permission, now });
    if (subscriptions === undefined) return;
    await setSubscriptions(tx, workspaceId, { id: contactId, subscriptions, now });
    const payload = { contactId, channel, permission };
    await publish(tx, SubscriptionChanged, { origin, key: contactId, payload, now });
  });
}

const noContact = (id: string): Refusal =>
  new Refusal('not_found', `There is no contact ${id}`, {
    reason: 'record_not_found',
    field: 'input.contactId',
    fix: 'Use an id from the list contacts of this workspace.',
  });

/** What the contact of a merged person refused, the contact of the survivor refuses too. */
export async function handOverRefusals(
  tx: Tx,
  workspaceId: WorkspaceId,
  { from, to, now }: { from: ContactId; to: ContactId; now: Date },
): Promise<void> {
  const locked = await lockEntities(tx, workspaceId, { object: 'person', ids: [from, to] });
  const leaving = locked.find(({ id }) => id === from);
  const heir = locked.find(({ id }) => id === to);
  if (!leaving || !heir) return;
  const subscriptions = inheritRefusals(heir.subscriptions, leaving.subscriptions);
  if (subscriptions) await setSubscriptions(tx, workspaceId, { id: to, subscriptions, now });
}
