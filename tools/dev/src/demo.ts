import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { connectGraph, type Graph } from './graph.ts';
import type { Screen } from './screen.ts';
import { saveSecrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import { type Running, usersOf } from './start.ts';

const ASK_EVERY_MS = 250;

/**
 * The main job, as a person would do it through the graph: connect through OAuth, sync, open a
 * campaign, sign people up. Each step looks first whether it was done by an earlier start.
 */
export async function runDemo(options: {
  running: Running;
  settings: Settings;
  screen: Screen;
  signal: AbortSignal;
}): Promise<void> {
  const { running, screen, signal } = options;
  const { endpoints } = running;
  const graph = connectGraph(endpoints.gateway, endpoints.apiKey);
  const startedAt = Date.now();
  await fillPipedrive(endpoints.sandbox.controlUrl, options);
  await createUsers(graph, options);
  const connectionId = await connectPipedrive(graph, screen);
  const dataSourceId = await createDataSource(graph, connectionId);
  await syncOnce({ graph, dataSourceId, screen, signal });
  const campaignId = await openCampaign(graph, connectionId);
  await signPeopleUp({ graph, campaignId, screen, signal });
  screen.say(`The demo is complete after ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`);
}

async function fillPipedrive(
  controlUrl: string,
  { settings, screen }: { settings: Settings; screen: Screen },
): Promise<void> {
  const State = z.object({ counts: z.object({ persons: z.int() }) });
  const state = State.parse(await (await fetch(`${controlUrl}/state`)).json());
  if (state.counts.persons > 0) return;
  screen.progress(`Filling the local Pipedrive with ${settings.demo.persons} persons …`);
  const answer = await fetch(`${controlUrl}/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ seed: 1, ...settings.demo }),
  });
  if (!answer.ok) throw new Error(`The local Pipedrive did not make its records: ${answer.status}`);
}

/** A second workspace, a member of the first and an outsider who belongs to the second only. */
async function createUsers(
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

const Nodes = z.object({ nodes: z.array(z.object({ id: z.string() })) });

async function connectPipedrive(graph: Graph, screen: Screen): Promise<string> {
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

const MAPPING_NODES = z.object({ fieldMappings: Nodes });

/** A published mapping of one purpose, with the suggested rows. */
async function publishedMapping(graph: Graph, connectionId: string, purpose: string, name: string) {
  const known = await graph(
    `query ($filter: FieldMappingFilter) { fieldMappings(filter: $filter, first: 1) { nodes { id } } }`,
    { filter: { purpose, state: 'PUBLISHED' } },
    MAPPING_NODES,
  );
  const first = known.fieldMappings.nodes[0];
  if (first) return first.id;
  const { saveFieldMapping } = await graph(
    'mutation ($input: SaveFieldMappingInput!) { saveFieldMapping(input: $input) { fieldMapping { id } } }',
    { input: { name, purpose, connectionId, idempotencyKey: `demo-${purpose}` } },
    z.object({ saveFieldMapping: z.object({ fieldMapping: z.object({ id: z.string() }) }) }),
  );
  const { id } = saveFieldMapping.fieldMapping;
  await graph(
    'mutation ($input: PublishFieldMappingInput!) { publishFieldMapping(input: $input) { fieldMapping { id } } }',
    { input: { id } },
    z.unknown(),
  );
  return id;
}

async function createDataSource(graph: Graph, connectionId: string): Promise<string> {
  const mappingId = await publishedMapping(
    graph,
    connectionId,
    'CONTACTS_FROM_PIPEDRIVE',
    'Contacts',
  );
  const created = await graph(
    'mutation ($input: CreateDataSourceInput!) { createDataSource(input: $input) { dataSource { id } } }',
    { input: { name: 'Pipedrive', connectionId, mappingId, idempotencyKey: 'demo-source' } },
    z.object({ createDataSource: z.object({ dataSource: z.object({ id: z.string() }) }) }),
  );
  return created.createDataSource.dataSource.id;
}

const Run = z.object({
  id: z.string(),
  state: z.string(),
  reason: z.string().nullable(),
  progress: z.object({
    done: z.number(),
    total: z.number().nullable(),
    ratePerSecond: z.number().nullable(),
    remainingSeconds: z.number().nullable(),
  }),
});
const RUN_FIELDS = 'id state reason progress { done total ratePerSecond remainingSeconds }';

/** Starts the first sync, or follows the one an earlier start began, until it ends. */
async function syncOnce(options: {
  graph: Graph;
  dataSourceId: string;
  screen: Screen;
  signal: AbortSignal;
}): Promise<void> {
  const { graph, dataSourceId, screen, signal } = options;
  const started = await graph(
    `mutation ($input: StartSyncInput!) { startSync(input: $input) { syncRun { ${RUN_FIELDS} } } }`,
    { input: { dataSourceId, idempotencyKey: 'demo-first-sync' } },
    z.object({ startSync: z.object({ syncRun: Run }) }),
  );
  let run = started.startSync.syncRun;
  if (run.state === 'SUCCEEDED') return;
  while (!['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(run.state)) {
    signal.throwIfAborted();
    screen.progress(progressText(run));
    await sleep(ASK_EVERY_MS);
    const asked = await graph(
      `query ($id: ID!) { syncRun(id: $id) { ${RUN_FIELDS} } }`,
      { id: run.id },
      z.object({ syncRun: Run }),
    );
    run = asked.syncRun;
  }
  if (run.state !== 'SUCCEEDED') {
    throw new Error(
      `The first sync ended ${run.state.toLowerCase()}: ${run.reason ?? 'no reason given'}`,
    );
  }
  screen.say(`Synced ${run.progress.done} records from Pipedrive.`);
}

function progressText({ progress, state }: z.output<typeof Run>): string {
  const { done, total, ratePerSecond, remainingSeconds } = progress;
  return [
    `Syncing (${state.toLowerCase()}): ${done}${total === null ? '' : ` of ${total}`} records`,
    ratePerSecond === null ? '' : `${Math.round(ratePerSecond)}/s`,
    remainingSeconds === null ? '' : `${Math.ceil(remainingSeconds)} s left`,
  ]
    .filter(Boolean)
    .join(' · ');
}

async function openCampaign(graph: Graph, connectionId: string): Promise<string> {
  const mappingId = await publishedMapping(
    graph,
    connectionId,
    'REFERRALS_TO_PIPEDRIVE',
    'Referrals',
  );
  const { saveCampaign } = await graph(
    'mutation ($input: SaveCampaignInput!) { saveCampaign(input: $input) { campaign { id state } } }',
    {
      input: {
        name: 'Bring a friend',
        connectionId,
        mappingId,
        outcome: 'LEAD',
        updateExisting: true,
        idempotencyKey: 'demo-campaign',
      },
    },
    z.object({
      saveCampaign: z.object({ campaign: z.object({ id: z.string(), state: z.string() }) }),
    }),
  );
  const { id, state } = saveCampaign.campaign;
  if (state !== 'OPEN') {
    await graph(
      'mutation ($input: LaunchCampaignInput!) { launchCampaign(input: $input) { campaign { id } } }',
      { input: { id } },
      z.unknown(),
    );
  }
  return id;
}

const PEOPLE = [
  ['Ada', 'Marsh'],
  ['Grace', 'Okafor'],
  ['Linus', 'Berg'],
] as const;

const ReferralUser = z.object({
  id: z.string(),
  delivery: z.object({
    state: z.string(),
    reason: z.string().nullable(),
    lead: z.object({ pipedriveUrl: z.string().nullable() }).nullable(),
  }),
});
const USER_FIELDS = 'id delivery { state reason lead { pipedriveUrl } }';

async function signPeopleUp(options: {
  graph: Graph;
  campaignId: string;
  screen: Screen;
  signal: AbortSignal;
}): Promise<void> {
  const { graph, campaignId, screen, signal } = options;
  for (const [firstName, lastName] of PEOPLE) {
    const email = `${firstName}.${lastName}@example.org`.toLowerCase();
    const { signUp } = await graph(
      `mutation ($input: SignUpInput!) { signUp(input: $input) { created referralUser { ${USER_FIELDS} } } }`,
      { input: { campaignId, email, firstName, lastName } },
      z.object({ signUp: z.object({ created: z.boolean(), referralUser: ReferralUser }) }),
    );
    let user = signUp.referralUser;
    while (user.delivery.state === 'QUEUED') {
      signal.throwIfAborted();
      screen.progress(`Signing up ${firstName} ${lastName} …`);
      await sleep(ASK_EVERY_MS);
      const asked = await graph(
        `query ($id: ID!) { referralUser(id: $id) { ${USER_FIELDS} } }`,
        { id: user.id },
        z.object({ referralUser: ReferralUser }),
      );
      user = asked.referralUser;
    }
    if (!signUp.created) continue;
    const where = user.delivery.lead?.pipedriveUrl ?? user.delivery.reason ?? '';
    screen.say(`Signed up ${firstName} ${lastName}: ${user.delivery.state.toLowerCase()} ${where}`);
  }
}
