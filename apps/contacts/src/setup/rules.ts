import type { MappingSource } from '@manifold/contracts';
import { USER_ID_KEYS } from '../mappings/rules.ts';
import type { DataSource } from '../sources/tables.ts';

/** Something a source cannot do without, how it shows and what helps. */
export interface Missing {
  field: string;
  cause: string;
  fix: string;
}

/** Everything that keeps a source from being synced, all at once. */
export function listMissing(
  source: Pick<DataSource, 'connection_id' | 'mapping_id' | 'require_identifier'>,
  mapping: MappingSource | undefined,
): Missing[] {
  const missing: Missing[] = [];
  if (source.connection_id === null) {
    missing.push({
      field: 'connectionId',
      cause: 'No connection is chosen.',
      fix: 'Choose one from the list connections, or begin one with beginConnection.',
    });
  }
  if (source.mapping_id === null) {
    missing.push({
      field: 'mappingId',
      cause: 'No mapping is chosen.',
      fix: 'Choose a published mapping of the connection with the purpose CONTACTS_FROM_PIPEDRIVE.',
    });
  }
  if (mapping && source.require_identifier && !bringsIdentifiers(mapping)) {
    missing.push({
      field: 'mappingId',
      cause: 'Contacts need an identifier, and no row of the mapping fills one.',
      fix: 'Map an e-mail address, a phone number or user_id, or set requireIdentifier to false.',
    });
  }
  return missing;
}

const CHANNELS = ['email', 'email_list', 'phone', 'phone_list'];

/** True as well for a mapping that makes no contacts at all. */
function bringsIdentifiers({ rows }: MappingSource): boolean {
  const targets = rows.flatMap(({ target }) => (target.object === 'contact' ? [target] : []));
  return (
    targets.length === 0 ||
    targets.some(({ field, type }) => CHANNELS.includes(type) || USER_ID_KEYS.includes(field))
  );
}

interface Changes {
  name?: string | undefined;
  step?: DataSource['step'] | undefined;
  connectionId?: DataSource['connection_id'] | undefined;
  mappingId?: DataSource['mapping_id'] | undefined;
  retentionDays?: number | undefined;
  requireIdentifier?: boolean | undefined;
}

/** Why a source cannot be changed so; undefined when it can. */
export function whyFixed(
  { state }: Pick<DataSource, 'state'>,
  { step, connectionId, mappingId }: Changes,
): { because: string; reason: string; field?: string; fix: string } | undefined {
  if (state === 'DELETED') {
    const fix = 'Create a new data source.';
    return { because: 'was deleted', reason: 'data_source_deleted', fix };
  }
  if (state === 'DRAFT') return undefined;
  const settled = { step, connectionId, mappingId };
  const [field] = Object.entries(settled).flatMap(([key, value]) =>
    value === undefined ? [] : key,
  );
  if (field === undefined) return undefined;
  return {
    ...{ because: 'is set up', reason: 'data_source_set_up', field: `input.${field}` },
    fix: 'Publish a new version of its mapping, or create another data source.',
  };
}

type Settings = Omit<DataSource, 'created_at' | 'updated_at'>;

/** A source after its changes. Another connection takes the mapping of the one before away. */
export function applyChoice(
  source: DataSource,
  choice: {
    changes: Changes;
    parts: {
      connection: { companyUrl: string } | undefined;
      mapping: { version: number } | undefined;
    };
  },
): DataSource {
  const { changes, parts } = choice;
  const connectionId = changes.connectionId ?? source.connection_id;
  const keepsMapping = connectionId === source.connection_id;
  const mapping = {
    mapping_id: changes.mappingId ?? (keepsMapping ? source.mapping_id : null),
    mapping_version: parts.mapping?.version ?? (keepsMapping ? source.mapping_version : null),
  };
  return {
    ...source,
    ...mapping,
    name: changes.name ?? source.name,
    step: changes.step ?? source.step,
    connection_id: connectionId,
    company_url: parts.connection?.companyUrl ?? source.company_url,
    retention_days: changes.retentionDays ?? source.retention_days,
    require_identifier: changes.requireIdentifier ?? source.require_identifier,
  };
}

const KEYS: Partial<Record<keyof Settings, string>> = {
  name: 'name',
  step: 'step',
  connection_id: 'connectionId',
  mapping_id: 'mappingId',
  mapping_version: 'mappingVersion',
  retention_days: 'retentionDays',
  require_identifier: 'requireIdentifier',
};

/** What differs, as the graph calls it. */
export const changedKeysOf = (before: Settings, after: Settings): string[] =>
  (Object.keys(KEYS) as (keyof Settings)[]).flatMap((key) =>
    before[key] === after[key] ? [] : (KEYS[key] ?? []),
  );
