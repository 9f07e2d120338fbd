import {
  allEvents,
  ChangeSetApproved,
  ChangeSetFinished,
  ChangeSetPlanned,
  ChangeSetProgressed,
  ConnectionId,
  type EventEnvelope,
  StepSettled,
  WorkspaceId,
} from '@manifold/contracts';
import { expect, test } from 'vitest';
import { createBatch } from './consumers.ts';
import { entryOf, subjectsOf } from './rules.ts';

const hex = (digit: string) => digit.repeat(32);
const connectionId = ConnectionId.parse(`cn_${hex('1')}`);

test('a settled write is told with its cause, its record, its reason and its price', () => {
  const event = settled();
  const entry = entryOf(event, StepSettled.summarise(event.payload));

  expect(entry).toEqual({
    workspace_id: `ws_${hex('1')}`,
    id: `au_${hex('1')}`,
    event_id: `ev_${hex('1')}`,
    occurred_at: new Date('2026-03-01T09:00:00.000Z'),
    service: 'connections',
    action: 'connections.step_settled',
    actor_kind: 'user',
    actor_id: `us_${hex('1')}`,
    actor_api_key_id: `ak_${hex('1')}`,
    target_type: 'ReferralUser',
    target_id: `ru_${hex('1')}`,
    outcome: 'parked',
    reason: 'several_matches',
    cost_tokens: 25,
    connection_id: connectionId,
    object: 'person',
    pipedrive_id: '17',
    correlation_id: 'c-1',
    causation_id: null,
  });
});

test('an entry is found by everything of ours the event names, however deep its cause stands', () => {
  const event = settled();

  expect(subjectsOf(event, StepSettled.summarise(event.payload)).toSorted()).toEqual([
    connectionId,
    `ru_${hex('1')}`,
    `st_${hex('1')}`,
    `wr_${hex('1')}`,
  ]);
});

test('what an event says beyond its summary does not reach the ledger', () => {
  const event = settled();
  const entry = entryOf(event, StepSettled.summarise(event.payload));

  expect(JSON.stringify(entry)).not.toMatch(/secret_field|example\.pipedrive/);
});

test('every event of the system is known to the ledger', () => {
  expect(allEvents.size).toBeGreaterThan(20);
  for (const [name, { summarise }] of allEvents) {
    expect(name).toMatch(/^[a-z-]+\.[a-z_]+\.v\d+$/);
    expect(summarise).toBeTypeOf('function');
  }
});

test('how far a change set is does not come into the ledger; its plan, approval and end do', () => {
  const { eventNames } = createBatch();
  expect(eventNames).toEqual(
    expect.arrayContaining([ChangeSetPlanned.name, ChangeSetApproved.name]),
  );
  expect(eventNames).toContain(ChangeSetFinished.name);
  expect([...allEvents.keys()].filter((name) => !eventNames.includes(name))).toEqual([
    ChangeSetProgressed.name,
  ]);
});

function settled(): EventEnvelope {
  return StepSettled.envelope.parse({
    id: `ev_${hex('1')}`,
    name: StepSettled.name,
    workspaceId: WorkspaceId.parse(`ws_${hex('1')}`),
    occurredAt: '2026-03-01T09:00:00.000Z',
    actor: { kind: 'user', id: `us_${hex('1')}`, apiKeyId: `ak_${hex('1')}` },
    correlationId: 'c-1',
    payload: {
      connectionId,
      writeRequestId: `wr_${hex('1')}`,
      stepId: `st_${hex('1')}`,
      stepName: 'person',
      cause: { service: 'referrals', type: 'ReferralUser', id: `ru_${hex('1')}` },
      object: 'person',
      operation: 'none',
      outcome: 'parked',
      reason: 'several_matches',
      pipedriveId: '17',
      pipedriveUrl: 'https://example.pipedrive.com/person/17',
      costTokens: 25,
      changedKeys: ['secret_field'],
    },
  });
}
