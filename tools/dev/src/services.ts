import { join } from 'node:path';
import { type ServiceName, services } from '@manifold/contracts';
import type { Infrastructure } from './infrastructure.ts';
import type { Secrets } from './secrets.ts';
import { ROOT, type Settings } from './settings.ts';

/** The OAuth app the local Pipedrive knows us as. */
export const OAUTH_CLIENT_ID = 'manifold-local';

/** What that app may do, everything Manifold does; at Pipedrive scopes belong to the app, not to the request. */
export const OAUTH_SCOPES = [
  'base',
  'contacts:full',
  'contact-fields:full',
  'deals:full',
  'deal-fields:full',
  'leads:full',
  'activities:full',
  'products:full',
  'product-fields:full',
  'users:read',
  'search:read',
  'webhooks:full',
  // the fields of activities are an administrator's to read
  'admin',
];

/** Where Pipedrive sends the browser back to. */
export const redirectUrlOf = (settings: Settings): string =>
  `http://127.0.0.1:${settings.ports.connections}/oauth/callback`;

export interface ProcessPlan {
  name: ServiceName | 'gateway';
  script: string;
  url: string;
  env: Record<string, string>;
}

/** Every process of Manifold with its whole environment; nothing is inherited but PATH and the like. */
export function planProcesses(parts: {
  settings: Settings;
  secrets: Secrets;
  infrastructure: Infrastructure;
  sandboxUrl: string;
}): ProcessPlan[] {
  const { settings, secrets, infrastructure } = parts;
  const urlOf = (name: ServiceName | 'gateway') => `http://127.0.0.1:${settings.ports[name]}`;
  const plans = services.map((name): ProcessPlan => {
    const database = infrastructure.databases[name];
    return {
      name,
      script: scriptOf(name),
      url: urlOf(name),
      env: {
        ...machineEnvironment(),
        PORT: String(settings.ports[name]),
        DATABASE_URL: database.appUrl,
        DATABASE_OWNER_URL: database.ownerUrl,
        NATS_URL: infrastructure.natsUrlOf(name),
        IDENTITY_PUBLIC_KEY: secrets.identity.publicKey,
        ...ownEnvironment(name, parts),
      },
    };
  });
  return [
    ...plans,
    {
      name: 'gateway',
      script: scriptOf('gateway'),
      url: urlOf('gateway'),
      env: {
        ...machineEnvironment(),
        PORT: String(settings.ports.gateway),
        NATS_URL: infrastructure.natsUrlOf('gateway'),
        IDENTITY_PRIVATE_KEY: secrets.identity.privateKey,
        SERVICE_URLS: JSON.stringify(
          Object.fromEntries(services.map((name) => [name, urlOf(name)])),
        ),
      },
    },
  ];
}

/** What one service needs beyond what all need. */
function ownEnvironment(
  name: ServiceName,
  parts: { settings: Settings; secrets: Secrets; sandboxUrl: string },
): Record<string, string> {
  const { settings, secrets, sandboxUrl } = parts;
  if (name === 'workspaces') {
    return {
      BOOTSTRAP_API_KEY: secrets.ownerApiKey,
      BOOTSTRAP_WORKSPACE_NAME: settings.empty ? 'Main' : 'Demo',
      BOOTSTRAP_OWNER_NAME: 'Olivia Owner',
      BOOTSTRAP_OWNER_EMAIL: 'owner@example.com',
    };
  }
  if (name === 'connections') {
    const self = `http://127.0.0.1:${settings.ports.connections}`;
    return {
      MASTER_KEY: secrets.masterKey,
      PUBLIC_URL: self,
      PIPEDRIVE_CLIENT_ID: OAUTH_CLIENT_ID,
      PIPEDRIVE_CLIENT_SECRET: secrets.oauthClientSecret,
      PIPEDRIVE_REDIRECT_URL: redirectUrlOf(settings),
      PIPEDRIVE_SCOPES: OAUTH_SCOPES.join(','),
      PIPEDRIVE_OAUTH_URL: sandboxUrl,
      PIPEDRIVE_API_DOMAINS: sandboxUrl,
      PIPEDRIVE_API_TOKEN_DOMAIN: sandboxUrl,
      RETURN_URLS: settings.returnUrls,
      // the local Pipedrive is quick: a lost answer need not be waited for as long as a real one
      SETTLE_MS: process.env['SETTLE_MS'] ?? '5000',
    };
  }
  return {};
}

const scriptOf = (name: string): string => join(ROOT, 'apps', name, 'src', 'main.ts');

const INHERITED = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'LOG_LEVEL', 'NODE_ENV', 'NODE_OPTIONS'];

export const machineEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    INHERITED.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
