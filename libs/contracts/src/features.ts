import { z } from 'zod';

/** What Manifold does with a Pipedrive company, each of which needs permissions of its own. */
export const PipedriveFeature = z.enum([
  'SYNC_CONTACTS',
  'WRITE_CONTACTS',
  'READ_DEALS',
  'WRITE_DEALS',
  'READ_LEADS',
  'WRITE_LEADS',
  'READ_ACTIVITIES',
  'WRITE_ACTIVITIES',
  'READ_PRODUCTS',
  'WRITE_PRODUCTS',
  'READ_NOTES',
  'WRITE_NOTES',
  'CREATE_CONTACT_FIELDS',
  'CREATE_DEAL_FIELDS',
  'CREATE_PRODUCT_FIELDS',
  'WEBHOOKS',
  'SEARCH',
  'USERS',
]);
export type PipedriveFeature = z.infer<typeof PipedriveFeature>;

/** The parts of Manifold that use Pipedrive. */
export const ManifoldProduct = z.enum(['CONTACTS', 'ENRICHMENT', 'REFERRALS', 'TRACKING']);
export type ManifoldProduct = z.infer<typeof ManifoldProduct>;

export interface FeatureNeeds {
  /** One scope of each list is enough; the first is the one to ask for. */
  scopes: readonly (readonly [string, ...string[]])[];
  /** Products that cannot do their work without it. */
  neededBy: readonly ManifoldProduct[];
}

const contacts = ['contacts:read', 'contacts:full'] as const;
const everyone = ManifoldProduct.options;

/** Feature → OAuth scopes of Pipedrive. Scopes belong to the registered app, never to a request. */
export const featureNeeds: Readonly<Record<PipedriveFeature, FeatureNeeds>> = {
  SYNC_CONTACTS: { scopes: [contacts], neededBy: ['CONTACTS', 'ENRICHMENT', 'REFERRALS'] },
  WRITE_CONTACTS: {
    scopes: [['contacts:full']],
    neededBy: ['ENRICHMENT', 'REFERRALS', 'TRACKING'],
  },
  READ_DEALS: { scopes: [['deals:read', 'deals:full']], neededBy: ['REFERRALS'] },
  WRITE_DEALS: { scopes: [['deals:full']], neededBy: ['REFERRALS', 'TRACKING'] },
  READ_LEADS: { scopes: [['leads:read', 'leads:full']], neededBy: ['REFERRALS', 'TRACKING'] },
  WRITE_LEADS: { scopes: [['leads:full']], neededBy: ['REFERRALS', 'TRACKING'] },
  READ_ACTIVITIES: { scopes: [['activities:read', 'activities:full']], neededBy: ['CONTACTS'] },
  WRITE_ACTIVITIES: { scopes: [['activities:full']], neededBy: ['TRACKING'] },
  READ_PRODUCTS: { scopes: [['products:read', 'products:full']], neededBy: ['TRACKING'] },
  WRITE_PRODUCTS: { scopes: [['products:full']], neededBy: ['TRACKING'] },
  READ_NOTES: { scopes: [[...contacts, 'deals:read', 'deals:full']], neededBy: ['CONTACTS'] },
  WRITE_NOTES: { scopes: [['contacts:full', 'deals:full']], neededBy: ['ENRICHMENT', 'TRACKING'] },
  CREATE_CONTACT_FIELDS: { scopes: [['contact-fields:full', 'admin']], neededBy: everyone },
  CREATE_DEAL_FIELDS: {
    scopes: [['deal-fields:full', 'admin']],
    neededBy: ['REFERRALS', 'TRACKING'],
  },
  CREATE_PRODUCT_FIELDS: { scopes: [['product-fields:full', 'admin']], neededBy: ['TRACKING'] },
  WEBHOOKS: { scopes: [['webhooks:full', 'admin']], neededBy: everyone },
  SEARCH: {
    scopes: [['search:read', ...contacts]],
    neededBy: ['ENRICHMENT', 'REFERRALS', 'TRACKING'],
  },
  USERS: { scopes: [['users:read', 'admin']], neededBy: ['CONTACTS', 'ENRICHMENT'] },
};
