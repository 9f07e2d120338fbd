import { z } from 'zod';
import { connectPipedrive } from './demo/connecting.ts';
import { signPeopleUp } from './demo/signing-up.ts';
import { syncOnce } from './demo/syncing.ts';
import { createUsers } from './demo/users.ts';
import { connectGraph, type Graph } from './graph.ts';
import type { Screen } from './screen.ts';
import type { Settings } from './settings.ts';
import type { Running } from './start.ts';

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
  const connectionId = await connectPipedrive(graph, screen, endpoints.sandbox.url);
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

const Nodes = z.object({ nodes: z.array(z.object({ id: z.string() })) });

const MAPPING_NODES = z.object({ fieldMappings: Nodes });

/** A published mapping of one purpose, with the suggested rows. */
async function publishedMapping(graph: Graph, connectionId: string, purpose: string, name: string) {
  const known = await graph(
    `query ($filter: FieldMappingFilter) { fieldMappings(filter: $filter, first: 1) { nodes { id } } }`,
    { filter: { purpose, connectionId, state: 'PUBLISHED' } },
    MAPPING_NODES,
  );
  const first = known.fieldMappings.nodes[0];
  if (first) return first.id;
  const { saveFieldMapping } = await graph(
    'mutation ($input: SaveFieldMappingInput!) { saveFieldMapping(input: $input) { fieldMapping { id } } }',
    { input: { name, purpose, connectionId, idempotencyKey: `demo-${purpose}-${connectionId}` } },
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
    {
      input: {
        name: 'Pipedrive',
        connectionId,
        mappingId,
        idempotencyKey: `demo-source-${connectionId}`,
      },
    },
    z.object({ createDataSource: z.object({ dataSource: z.object({ id: z.string() }) }) }),
  );
  return created.createDataSource.dataSource.id;
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
        idempotencyKey: `demo-campaign-${connectionId}`,
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
