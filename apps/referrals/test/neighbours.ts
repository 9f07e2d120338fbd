import {
  type ConnectionId,
  DescribeConnection,
  type FieldDefinition,
  type FieldMappingId,
  GetMapping,
  ListFields,
  type MappingPurpose,
  type MappingRow,
  SubmitWrite,
  WriteRequestId,
} from '@manifold/contracts';
import { newId } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { respondTo, serveRequests } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import { pino } from 'pino';
import type { z } from 'zod';

type Command = z.output<(typeof SubmitWrite)['question']>;

const field = (object: 'person' | 'lead', code: string, type: FieldDefinition['type']) => ({
  object,
  code,
  name: code,
  type,
  custom: false,
});
export const fields: FieldDefinition[] = [
  field('person', 'name', 'varchar'),
  field('person', 'emails', 'emails'),
  field('lead', 'title', 'varchar'),
  field('lead', 'owner_id', 'user'),
  field('lead', 'origin_text', 'varchar'),
];

export const row = (from: string, object: 'person' | 'lead', to: string): MappingRow => ({
  id: `${object}.${to}`,
  source: { object: 'referral', field: from, type: from === 'email' ? 'email' : 'text' },
  target: { object, field: to },
});
export const rows = [
  row('first_name', 'person', 'name'),
  row('email', 'person', 'emails'),
  row('campaign_name', 'lead', 'title'),
];

const usualPurpose: MappingPurpose = 'REFERRALS_TO_PIPEDRIVE';

/** Stand-ins for connections and field-mapping on a real broker, each of which can be away. */
export function createNeighbours(nats: NatsConnection, connectionId: ConnectionId) {
  const state = {
    commands: [] as Command[],
    /** What connections answers instead of taking a command. */
    refusal: undefined as Refusal | undefined,
    mapping: {
      version: 1,
      rows,
      connectionId,
      purpose: usualPurpose,
      /** Codes of fields that are no longer there. */
      gone: new Set<string>(),
      ...{ isPublished: true, isAbsent: false },
    },
  };
  const absent = (what: string) =>
    new Refusal('not_found', `There is no ${what}`, { reason: 'record_not_found' });
  const connections = [
    respondTo(SubmitWrite, async (command) => {
      if (state.refusal) throw state.refusal;
      state.commands.push(command);
      return { writeRequestId: newId('wr', WriteRequestId), repeated: false };
    }),
    respondTo(DescribeConnection, async (question) => {
      if (question.connectionId !== connectionId) throw absent('connection');
      const company = { companyDomain: 'acme', companyUrl: 'https://acme.pipedrive.com' };
      return { connectionId, status: 'ACTIVE' as const, companyId: '1', ...company };
    }),
    respondTo(ListFields, async ({ object }) => ({
      revision: 1,
      fields: fields.filter((one) => one.object === object),
    })),
  ];
  const fieldMapping = [
    respondTo(GetMapping, async ({ mappingId }) => {
      if (state.mapping.isAbsent) throw absent('mapping');
      if (!state.mapping.isPublished) {
        throw new Refusal('precondition', 'The mapping is not published', {
          reason: 'mapping_not_published',
          fix: 'Publish it.',
        });
      }
      return publishedMapping(mappingId, state.mapping);
    }),
  ];
  const log = pino({ level: 'silent' });
  const startConnections = () =>
    serveRequests({ nats, service: 'connections', responders: connections, log });
  const startFieldMapping = () =>
    serveRequests({ nats, service: 'field-mapping', responders: fieldMapping, log });
  return { state, startConnections, startFieldMapping };
}

const publishedMapping = (
  mappingId: FieldMappingId,
  of: {
    version: number;
    rows: MappingRow[];
    connectionId: ConnectionId;
    purpose: MappingPurpose;
    gone: ReadonlySet<string>;
  },
) => ({
  mappingId,
  version: of.version,
  connectionId: of.connectionId,
  purpose: of.purpose,
  hash: 'a'.repeat(64),
  source: {
    direction: 'to_pipedrive' as const,
    rows: of.rows,
    policy: { existing: 'overwrite' as const, ignoreEmpty: true },
    catalogue: fields.filter(({ code }) => !of.gone.has(code)),
  },
});
