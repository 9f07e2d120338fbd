import { z } from 'zod';
import type { Graph } from '../graph.ts';
import type { Screen } from '../screen.ts';

const Nodes = z.object({ nodes: z.array(z.object({ id: z.string() })) });

/** Connects through OAuth, unless an earlier start did; returns the connection's id. */
export async function connectPipedrive(graph: Graph, screen: Screen): Promise<string> {
  const activeConnection = async () => {
    const { connections } = await graph(
      '{ connections(filter: { status: ACTIVE }, first: 1) { nodes { id } } }',
      {},
      z.object({ connections: Nodes }),
    );
    return connections.nodes[0]?.id;
  };
  const known = await activeConnection();
  if (known !== undefined) return known;
  screen.progress('Connecting to the local Pipedrive through OAuth …');
  const { beginConnection } = await graph(
    'mutation ($input: BeginConnectionInput!) { beginConnection(input: $input) { authorizationUrl } }',
    { input: { kind: 'ORGANIZATION' } },
    z.object({ beginConnection: z.object({ authorizationUrl: z.url() }) }),
  );
  await consent(beginConnection.authorizationUrl);
  const made = await activeConnection();
  if (made === undefined) throw new Error('The OAuth consent did not lead to a connection.');
  screen.say('Connected to the local Pipedrive through OAuth.');
  return made;
}

/** Does what a person does in the browser: open the consent page, press Allow, follow the redirect. */
async function consent(authorizationUrl: string): Promise<void> {
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
  if (callback.status >= 400)
    throw new Error(`The connection was refused: ${await callback.text()}`);
}
