import { join } from 'node:path';
import { z } from 'zod';
import type { Secrets } from './secrets.ts';
import { machineEnvironment, OAUTH_CLIENT_ID, OAUTH_SCOPES, redirectUrlOf } from './services.ts';
import { ROOT, type Settings } from './settings.ts';

/** The local Pipedrive's process. */
export const sandboxPlan = (settings: Settings, url: string) => ({
  name: 'sandbox',
  script: join(ROOT, 'tools/pipedrive-sandbox/src/main.ts'),
  env: {
    ...machineEnvironment(),
    PORT: new URL(url).port,
    SANDBOX_DATA_FILE: join(settings.home, 'sandbox', 'pipedrive.sqlite'),
    SANDBOX_LIMITS: process.env['SANDBOX_LIMITS'] ?? 'off',
  },
});

/** Makes us known to the local Pipedrive, as one registers an app in its Developer Hub. */
export async function registerOAuthApp(parts: {
  settings: Settings;
  secrets: Secrets;
  sandboxUrl: string;
}) {
  const answer = await fetch(`${parts.sandboxUrl}/control/apps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'Manifold',
      clientId: OAUTH_CLIENT_ID,
      clientSecret: parts.secrets.oauthClientSecret,
      redirectUris: [redirectUrlOf(parts.settings)],
      scopes: OAUTH_SCOPES,
    }),
  });
  if (!answer.ok) throw new Error(`The local Pipedrive did not take our app: ${answer.status}`);
}

const SandboxState = z.object({
  users: z.array(z.object({ apiToken: z.string(), admin: z.boolean() })),
});

/** The API token of the local Pipedrive's administrator. */
export async function adminTokenOf(sandboxUrl: string): Promise<string> {
  const state = SandboxState.parse(await (await fetch(`${sandboxUrl}/control/state`)).json());
  return state.users.find(({ admin }) => admin)?.apiToken ?? '';
}
