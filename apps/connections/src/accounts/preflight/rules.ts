import { featureNeeds, type ManifoldProduct, PipedriveFeature } from '@manifold/contracts';
import type { OperationName } from '@manifold/pipedrive';
import type { RegisteredApp } from '../../oauth/apps.ts';
import type { MissingScope } from '../rules.ts';
import type { Connection } from '../tables.ts';

/** Whether a connection may be used for a feature, and how it could be. */
export interface FeatureCheck {
  feature: PipedriveFeature;
  isGranted: boolean;
  /** Scopes to ask for. */
  missing: string[];
  neededBy: readonly ManifoldProduct[];
  /** Registered apps that have what is missing. */
  apps: string[];
  fix: string | undefined;
}

type Asked = Pick<Connection, 'method' | 'scopes' | 'app_name'>;
type App = Pick<RegisteredApp, 'name' | 'scopes'>;

/** An API token may do whatever its user may; OAuth what was granted to its app. */
export function checkFeature(
  { method, scopes, app_name }: Asked,
  feature: PipedriveFeature,
  apps: readonly App[],
): FeatureCheck {
  const { neededBy } = featureNeeds[feature];
  const missing = method === 'API_TOKEN' ? [] : missingFor(feature, scopes);
  if (missing.length === 0) {
    return { feature, isGranted: true, missing, neededBy, apps: [], fix: undefined };
  }
  const able = apps.filter((app) => missingFor(feature, app.scopes ?? []).length === 0);
  const names = able.map(({ name }) => name);
  return {
    ...{ feature, isGranted: false, missing, neededBy, apps: names },
    fix: fixOf({ missing, names, own: app_name }),
  };
}

/** For each need that is not met, the scope to ask for. */
const missingFor = (feature: PipedriveFeature, granted: readonly string[]): string[] =>
  featureNeeds[feature].scopes
    .filter((alternatives) => !alternatives.some((scope) => granted.includes(scope)))
    .map(([first]) => first);

function fixOf(found: {
  missing: readonly string[];
  names: readonly string[];
  own: string | null;
}) {
  const { missing, names, own } = found;
  const scopes = missing.join(', ');
  if (own !== null && names.includes(own)) {
    return `The app ${own} has ${scopes} by now: connect the same user again.`;
  }
  const [able] = names;
  if (able !== undefined)
    return `Connect the same user again with the app ${able}, which has ${scopes}.`;
  return `Switch on ${scopes} for the app ${own ?? 'in use'} in Pipedrive's Developer Hub, then connect the same user again.`;
}

/** What a refused operation belongs to, by the object in its name. */
const objects: readonly [RegExp, { read: PipedriveFeature; write: PipedriveFeature }][] = [
  [/Webhook/, { read: 'WEBHOOKS', write: 'WEBHOOKS' }],
  [/DealField|LeadField/, { read: 'READ_DEALS', write: 'CREATE_DEAL_FIELDS' }],
  [/ProductField/, { read: 'READ_PRODUCTS', write: 'CREATE_PRODUCT_FIELDS' }],
  [/(Person|Organization)Field/, { read: 'SYNC_CONTACTS', write: 'CREATE_CONTACT_FIELDS' }],
  [/search/i, { read: 'SEARCH', write: 'SEARCH' }],
  [/Person|Organization/, { read: 'SYNC_CONTACTS', write: 'WRITE_CONTACTS' }],
  [/Deal|Pipeline|Stage/, { read: 'READ_DEALS', write: 'WRITE_DEALS' }],
  [/Lead/, { read: 'READ_LEADS', write: 'WRITE_LEADS' }],
  [/Activit/, { read: 'READ_ACTIVITIES', write: 'WRITE_ACTIVITIES' }],
  [/Product/, { read: 'READ_PRODUCTS', write: 'WRITE_PRODUCTS' }],
  [/Note/, { read: 'READ_NOTES', write: 'WRITE_NOTES' }],
  [/User/, { read: 'USERS', write: 'USERS' }],
];

/** The feature an operation of Pipedrive's API serves; undefined for what every app may do. */
export function featureOf(operation: OperationName): PipedriveFeature | undefined {
  if (operation === 'getCurrentUser') return undefined;
  const found = objects.find(([pattern]) => pattern.test(operation))?.[1];
  return operation.startsWith('get') || operation.startsWith('search') ? found?.read : found?.write;
}

/** What to do about a call Pipedrive refused for a missing scope; added to how the call ended. */
export function explainScope(
  connection: Asked,
  operation: OperationName,
  apps: readonly App[],
): MissingScope | undefined {
  const feature = featureOf(operation);
  if (feature === undefined) return undefined;
  const { missing, fix } = checkFeature(connection, feature, apps);
  const [first = 'the scope'] = featureNeeds[feature].scopes.map(([scope]) => scope);
  const permission = `Give the user the permission in Pipedrive, or switch on ${first} for the app and connect again.`;
  return { feature, scopes: missing, fix: fix ?? permission };
}

/** Every feature, for who asks for none in particular. */
export const allFeatures: readonly PipedriveFeature[] = PipedriveFeature.options;
