import { escape, pageOf } from '../http/html-page.ts';
import { html, type Reply } from '../http/reply.ts';
import { findUser, listUsers, type User } from '../users/users.ts';
import type { World } from '../world.ts';
import { type App, findApp, scopeOf } from './apps.ts';
import { CODE_LIFE_MS, insertCode } from './grants.ts';

/** The consent page. */
export function showConsent(query: URLSearchParams, world: World): Reply {
  const app = readApp(query, world);
  if (typeof app === 'string') return html(400, pageOf('Cannot install', `<p>${escape(app)}</p>`));
  const hidden = ['client_id', 'redirect_uri', 'state']
    .filter((name) => query.has(name))
    .map((name) => `<input type="hidden" name="${name}" value="${escape(query.get(name) ?? '')}">`);
  const users = listUsers(world.db)
    .filter(({ active }) => active)
    .map(userOption);
  const scopes = scopeOf(app)
    .split(',')
    .map((scope) => `<li>${escape(scope)}</li>`);
  const form = `
    <form method="post" action="/oauth/authorize">${hidden.join('')}
      <p><strong>${escape(app.name)}</strong> asks for access to ${escape(world.company.name)}:</p>
      <ul>${scopes.join('')}</ul>
      <p><label>Install as <select name="user_id">${users.join('')}</select></label></p>
      <button name="decision" value="allow">Allow and install</button>
      <button name="decision" value="deny">Cancel</button>
    </form>`;
  return html(200, pageOf(`Install ${escape(app.name)}`, form));
}

/** What the buttons of the page send: back to the app with a code, or with `error=user_denied`. */
export function decideConsent(form: URLSearchParams, world: World): Reply {
  const app = readApp(form, world);
  const user = findUser(world.db, Number(form.get('user_id')));
  const redirectUri = form.get('redirect_uri') ?? '';
  if (typeof app === 'string') return html(400, pageOf('Cannot install', `<p>${escape(app)}</p>`));
  if (form.get('decision') !== 'allow') return back(redirectUri, form, { error: 'user_denied' });
  if (user === undefined || !user.active)
    return html(400, pageOf('Cannot install', '<p>No such user</p>'));
  const code = insertCode(world.db, {
    client_id: app.clientId,
    user_id: user.id,
    redirect_uri: redirectUri,
    expires_ms: world.now().getTime() + CODE_LIFE_MS,
  });
  return back(redirectUri, form, { code });
}

function readApp(values: URLSearchParams, world: World): App | string {
  const app = findApp(world.db, values.get('client_id') ?? '');
  if (app === undefined) return 'This app is not registered here.';
  const fits = app.redirectUris.includes(values.get('redirect_uri') ?? '');
  return fits ? app : 'The redirect_uri is not the one registered for this app.';
}

function back(redirectUri: string, form: URLSearchParams, result: Record<string, string>): Reply {
  const target = new URL(redirectUri);
  for (const [key, value] of Object.entries(result)) target.searchParams.set(key, value);
  const state = form.get('state');
  if (state !== null) target.searchParams.set('state', state);
  return { status: 302, contentType: 'text/plain', body: '', headers: { location: target.href } };
}

function userOption(user: User): string {
  return `<option value="${user.id}">${escape(user.name)}${user.admin ? ' (admin)' : ''}</option>`;
}
