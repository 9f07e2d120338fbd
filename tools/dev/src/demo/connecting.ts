import { z } from 'zod';
import type { Graph } from '../graph.ts';
import type { Screen } from '../screen.ts';
import { OAUTH_SCOPES } from '../services.ts';

const Connected = z.object({
  connections: z.object({
    nodes: z.array(
      z.object({
        id: z.string(),
        scopes: z.array(z.string()),
        company: z.object({ url: z.string() }),
      }),
    ),
  }),
});

/** Connects through OAuth, unless an earlier start did, with all it needs; returns the connection's id. */
export async function connectPipedrive(
  graph: Graph,
  screen: Screen,
  sandboxUrl: string,
): Promise<string> {
  const { connections } = await graph(
    '{ connections(filter: { kind: ORGANIZATION, status: ACTIVE }, first: 1) { nodes { id scopes company { url } } } }',
    {},
    Connected,
  );
  const known = connections.nodes[0];
  // an earlier start may have had its local Pipedrive on another port
  const isHere = known !== undefined && new URL(known.company.url).origin === sandboxUrl;
  if (isHere && OAUTH_SCOPES.every((scope) => known.scopes.includes(scope))) return known.id;
  screen.progress('Connecting to the local Pipedrive through OAuth …');
  const { beginConnection } = await graph(
    'mutation ($input: BeginConnectionInput!) { beginConnection(input: $input) { authorizationUrl } }',
    { input: { kind: 'ORGANIZATION' } },
    z.object({ beginConnection: z.object({ authorizationUrl: z.url() }) }),
  );
  const code = await consent(beginConnection.authorizationUrl);
  const { completeConnection } = await graph(
    'mutation ($input: CompleteConnectionInput!) { completeConnection(input: $input) { connection { id } } }',
    { input: { code } },
    z.object({
      completeConnection: z.object({ connection: z.object({ id: z.string() }) }),
    }),
  );
  screen.say('Connected to the local Pipedrive through OAuth.');
  return completeConnection.connection.id;
}

/** Does what a person does in the browser: open the consent page, press Allow, copy the code that is shown. */
async function consent(authorizationUrl: string): Promise<string> {
  const address = new URL(authorizationUrl);
  const page = await (await fetch(address)).text();
  const userId = /<option value="(\d+)"/.exec(page)?.[1];
  if (userId === undefined) throw new Error('The consent page offers no user.');
  const form = new URLSearchParams(address.searchParams);
  form.set('user_id', userId);
  form.set('decision', 'allow');
  const allowed = await fetch(new URL(address.pathname, address), {
    method: 'POST',
    body: form,
    redirect: 'manual',
  });
  const callback = await fetch(allowed.headers.get('location') ?? '', { redirect: 'manual' });
  const shown = await callback.text();
  const code = /<pre id="code">([\w-]+)<\/pre>/.exec(shown)?.[1];
  if (code === undefined) throw new Error(`The consent did not lead to a code: ${shown}`);
  return code;
}
