import { ContactId } from '@manifold/contracts';
import { originOf, requireRole } from '@manifold/subgraph';
import { z } from 'zod';
import type { Context } from '../loaders.ts';
import type { Contact, Db } from '../store.ts';
import { Channel, SubscriptionState } from './arguments.ts';
import { setSubscription } from './commands.ts';
import { viewSubscriptions } from './rules.ts';

const SetArguments = z.object({
  input: z.object({ contactId: ContactId, channel: Channel, state: SubscriptionState }),
});

export const createSubscriptionResolvers = (deps: { db: Db; now: () => Date }) => ({
  Mutation: {
    setSubscription: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'MEMBER');
      const { contactId, channel, state: permission } = SetArguments.parse(args).input;
      const origin = originOf(context);
      await setSubscription(deps, { origin, contactId, channel, permission });
      return { contact: await context.loaders.contacts.load(contactId) };
    },
  },
  Contact: {
    subscriptions: ({ subscriptions }: Contact) => viewSubscriptions(subscriptions),
  },
});
