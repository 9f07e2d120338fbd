import { ConnectionId, FieldMappingId, WorkspaceId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { expect, test } from 'vitest';
import type { MappingCopy } from '../store.ts';
import { decideLaunch } from './rules.ts';

const connection_id = newId('cn', ConnectionId);
const mapping_id = newId('fm', FieldMappingId);
const copy: MappingCopy = {
  workspace_id: newId('ws', WorkspaceId),
  mapping_id,
  version: 1,
  connection_id,
  purpose: 'REFERRALS_TO_PIPEDRIVE',
  hash: 'a'.repeat(64),
  source: {
    direction: 'to_pipedrive',
    rows: [],
    policy: {
      existing: 'overwrite',
      createMissing: true,
      ignoreEmpty: true,
      protected: [],
      protectFilled: false,
    },
    catalogue: [],
  },
  fetched_at: new Date('2026-03-01'),
};

test.each([
  ['a published mapping of its connection', mapping_id, copy, 'open'],
  ['no mapping', null, undefined, 'mapping_not_published'],
  ['a mapping nobody published', mapping_id, undefined, 'mapping_not_published'],
  [
    'a mapping for something else',
    mapping_id,
    { ...copy, purpose: 'CONTACTS_FROM_PIPEDRIVE' as const },
    'invalid_input',
  ],
  [
    'a mapping of another connection',
    mapping_id,
    { ...copy, connection_id: newId('cn', ConnectionId) },
    'invalid_input',
  ],
])('a campaign with %s (RF-05)', (_, chosen, kept, expected) => {
  const decision = decideLaunch({ connection_id, mapping_id: chosen }, kept);
  expect(decision.outcome === 'open' ? 'open' : decision.reason).toBe(expected);
});
