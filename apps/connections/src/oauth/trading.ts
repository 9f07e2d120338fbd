import { Refusal } from '@manifold/errors';
import { exchangeCode, type Grant } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import { unreachable } from '../accounts/rules.ts';
import type { RegisteredApp } from './apps.ts';

/** Trades a code of Pipedrive for a grant; throws the refusal when that does not work. */
export async function tradeCode(
  { log }: { log: Logger },
  app: RegisteredApp,
  code: string,
): Promise<Grant> {
  const traded = await exchangeCode(app, { code, redirectUri: app.redirectUrl });
  switch (traded.outcome) {
    case 'ok':
      return traded.grant;
    case 'invalid_grant':
      throw new Refusal('invalid', 'Pipedrive does not accept the code it sent you back with', {
        reason: 'oauth_code_invalid',
        fix: 'Begin again with beginConnection.',
      });
    case 'invalid_client':
      log.error({ app: app.name }, 'Pipedrive does not accept the id, secret or redirect URL');
      throw new Refusal('precondition', 'Pipedrive does not accept the registered app', {
        reason: 'pipedrive_refused',
        fix: `Correct the id, secret and redirect URL of the app ${app.name}: PIPEDRIVE_CLIENT_ID and its like, or PIPEDRIVE_APPS.`,
      });
    case 'unavailable':
      throw unreachable(traded.cause);
  }
}
