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
  if (secrets.userApiKeys['outsider'] !== undefined) return;
  const twin = await graph(
    'mutation ($input: CreateWorkspaceInput!) { createWorkspace(input: $input) { workspace { id } } }',
    { input: { name: 'Twin', idempotencyKey: 'demo-twin' } },
    z.object({ createWorkspace: z.object({ workspace: z.object({ id: z.string() }) }) }),
  );
  const twinId = twin.createWorkspace.workspace.id;
  const inTwin = connectGraph(endpoints.gateway, endpoints.apiKey, twinId);
  secrets.userApiKeys['member'] = await invite(graph, {
    name: 'Max Member',
    email: 'member@example.com',
    role: 'MEMBER',
  });
  secrets.userApiKeys['outsider'] = await invite(inTwin, {
    name: 'Otto Outsider',
    email: 'outsider@example.com',
    role: 'OWNER',
  });
  await saveSecrets(settings.home, secrets);
  endpoints.users = usersOf(secrets);
  await running.rewriteEndpoints();
}

async function invite(
  graph: Graph,
  person: { name: string; email: string; role: string },
): Promise<string> {
  const { inviteMember } = await graph(
    'mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { member { id } } }',
    { input: person },
    z.object({ inviteMember: z.object({ member: z.object({ id: z.string() }) }) }),
  );
  const { createApiKey } = await graph(
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
    { input: { name: `Demo key of ${person.name}`, memberId: inviteMember.member.id } },
    z.object({ createApiKey: z.object({ key: z.string() }) }),
  );
  return createApiKey.key;
}
