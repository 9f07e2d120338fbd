import { setTimeout as sleep } from 'node:timers/promises';
import type { Graph } from '@manifold/dev/graph';
import { z } from 'zod';

/** As many as the graph takes at once. */
const ADDED_AT_ONCE = 500;
const LOOK_EVERY_MS = 50;
const PLANNED_WITHIN_MS = 60_000;

const ChangeSet = z.object({
  id: z.string(),
  state: z.string(),
  reason: z.string().nullable(),
  hash: z.string().nullable(),
});
const Payload = z.object({ changeSet: ChangeSet });
const FIELDS = 'changeSet { id state reason hash }';

/** Plans a new name for each person and waits until the plan is there; nothing is written yet. */
export async function planNames(
  graph: Graph,
  wanted: { connectionId: string; pipedriveIds: readonly string[]; name: string },
): Promise<string> {
  const { connectionId, pipedriveIds, name } = wanted;
  const changes = pipedriveIds.map((id) => ({
    object: 'PERSON',
    identity: [{ kind: 'PIPEDRIVE_ID', value: id }],
    fields: [{ code: 'name', value: `${name} ${id}` }],
  }));
  const { planChangeSet } = await graph(
    `mutation ($input: PlanChangeSetInput!) { planChangeSet(input: $input) { ${FIELDS} } }`,
    {
      input: {
        connectionId,
        title: name,
        changes: changes.slice(0, ADDED_AT_ONCE),
        staysOpen: true,
      },
    },
    z.object({ planChangeSet: Payload }),
  );
  const { id } = planChangeSet.changeSet;
  for (let start = ADDED_AT_ONCE; start < changes.length; start += ADDED_AT_ONCE) {
    const more = changes.slice(start, start + ADDED_AT_ONCE);
    await graph(
      `mutation ($input: AddToChangeSetInput!) { addToChangeSet(input: $input) { ${FIELDS} } }`,
      { input: { id, changes: more, idempotencyKey: `${id}-${start}` } },
      z.unknown(),
    );
  }
  await graph(
    `mutation ($input: ChangeSetInput!) { closeChangeSet(input: $input) { ${FIELDS} } }`,
    { input: { id } },
    z.unknown(),
  );
  await isPlanned(graph, id);
  return id;
}

async function isPlanned(graph: Graph, id: string): Promise<void> {
  const deadline = performance.now() + PLANNED_WITHIN_MS;
  for (;;) {
    const { state, reason } = await readChangeSet(graph, id);
    if (state === 'AWAITING_APPROVAL') return;
    if (performance.now() > deadline) throw new Error(`Not planned but ${state}: ${reason}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** Begins to write what was planned. */
export async function approve(graph: Graph, id: string): Promise<void> {
  const { hash } = await readChangeSet(graph, id);
  await graph(
    `mutation ($input: ApproveChangeSetInput!) { approveChangeSet(input: $input) { ${FIELDS} } }`,
    { input: { id, hash } },
    z.unknown(),
  );
}

export async function cancel(graph: Graph, id: string): Promise<void> {
  await graph(
    `mutation ($input: ChangeSetInput!) { cancelChangeSet(input: $input) { ${FIELDS} } }`,
    { input: { id } },
    z.unknown(),
  );
}

export async function readChangeSet(graph: Graph, id: string): Promise<z.output<typeof ChangeSet>> {
  const { changeSet } = await graph(
    'query ($id: ID!) { changeSet(id: $id) { id state reason hash } }',
    { id },
    z.object({ changeSet: ChangeSet }),
  );
  return changeSet;
}
