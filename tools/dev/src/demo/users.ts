import { z } from 'zod';
import { connectGraph, type Graph } from '../graph.ts';
import { saveSecrets } from '../secrets.ts';
import type { Settings } from '../settings.ts';
import { usersOf } from '../endpoints.ts';
import type { Running } from '../start.ts';

/** A second workspace, a member of the first and an outsider who belongs to the second only. */
export async function createUsers(
  graph: Graph,
  { running, settings }: { running: Running; settings: Settings },
) {
  const { secrets, endpoints } = running;
  const keep = async (user: string, make: () => Promise<string>) => {
    if (secrets.userApiKeys[user] !== undefined) return;
    secrets.userApiKeys[user] = await make();
    await saveSecrets(settings.home, secrets);
    endpoints.users = usersOf(secrets);
    await running.rewriteEndpoints();
  };
  await keep('member', () => invite(graph, MEMBER));
  await keep('outsider', async () => {
    const { createWorkspace } = await graph(
      'mutation ($input: CreateWorkspaceInput!) { createWorkspace(input: $input) { workspace { id } } }',
      { input: { name: 'Twin', idempotencyKey: 'demo-twin' } },
      z.object({ createWorkspace: z.object({ workspace: z.object({ id: z.string() }) }) }),
    );
    const twin = connectGraph(endpoints.gateway, endpoints.apiKey, createWorkspace.workspace.id);
    return invite(twin, OUTSIDER);
  });
}

const MEMBER = { name: 'Max Member', email: 'member@example.com', role: 'MEMBER' };
const OUTSIDER = { name: 'Otto Outsider', email: 'outsider@example.com', role: 'OWNER' };

async function invite(
  graph: Graph,
  person: { name: string; email: string; role: string },
): Promise<string> {
  const { inviteMember } = await graph(
    'mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { member { id } } }',
    // a repeat returns the member of the first time
    { input: { ...person, idempotencyKey: `demo-${person.email}` } },
    z.object({ inviteMember: z.object({ member: z.object({ id: z.string() }) }) }),
  );
  const { createApiKey } = await graph(
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
    { input: { name: `Demo key of ${person.name}`, memberId: inviteMember.member.id } },
    z.object({ createApiKey: z.object({ key: z.string() }) }),
  );
  return createApiKey.key;
}
