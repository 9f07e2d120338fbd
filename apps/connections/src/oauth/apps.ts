import { readFileSync } from 'node:fs';
import { Refusal } from '@manifold/errors';
import type { OauthApp } from '@manifold/pipedrive';
import { z } from 'zod';

/** The app of PIPEDRIVE_CLIENT_ID. */
export const DEFAULT_APP = 'default';

/** An app registered at Pipedrive, and the one address it may send browsers back to. */
export interface RegisteredApp extends OauthApp {
  /** What it is called here. */
  name: string;
  redirectUrl: string;
  /** Switched on for it in the Developer Hub; undefined when the operator did not say. */
  scopes: readonly string[] | undefined;
}

const App = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, 'small letters, digits, - and _'),
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  redirectUrl: z.url({ protocol: /^https?$/ }),
  scopes: z.array(z.string().min(1).max(64)).max(100).optional(),
});
export type NamedApp = z.infer<typeof App>;

/** Reads PIPEDRIVE_APPS: a JSON array, or the path of a file that holds one. Quotes no value. */
export function parseApps(text: string): NamedApp[] {
  const json = text.trimStart().startsWith('[') ? text : readFileSync(text, 'utf8');
  const read = z.array(App).max(50).safeParse(parseJson(json));
  if (!read.success) {
    const said = read.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    throw new Error(said.join('; '));
  }
  for (const key of ['name', 'clientId'] as const) {
    const values = read.data.map((app) => app[key]);
    if (new Set(values).size < values.length) throw new Error(`two apps have one ${key}`);
  }
  return read.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('is not JSON');
  }
}

/** The app of a grant or of a notice from Pipedrive. */
export const appOf = (
  apps: readonly RegisteredApp[],
  clientId: string,
): RegisteredApp | undefined => apps.find((app) => app.clientId === clientId);

/** The app to connect with; a refusal where there is none of that name. */
export function requireApp(
  apps: readonly RegisteredApp[],
  name: string | undefined,
): RegisteredApp {
  const app = name === undefined ? apps[0] : apps.find((one) => one.name === name);
  if (app !== undefined) return app;
  if (apps.length === 0) {
    throw new Refusal('precondition', 'No Pipedrive app is registered with this installation', {
      reason: 'pipedrive_refused',
      fix: 'Set PIPEDRIVE_CLIENT_ID, PIPEDRIVE_CLIENT_SECRET and PIPEDRIVE_REDIRECT_URL, or connect with an API token.',
    });
  }
  throw new Refusal('invalid', 'No Pipedrive app of this name is registered', {
    reason: 'invalid_input',
    field: 'input.app',
    fix: `Use one of ${apps.map((one) => one.name).join(', ')}, or leave it out.`,
  });
}
