import { CompletenessCertificateId, type PipedriveObject } from '@manifold/contracts';
import { createOnce, newId } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Origin } from '@manifold/messaging';
import type { Connection } from '../accounts/tables.ts';
import { decideTracking } from '../registry/rules.ts';
import { findRegistry, setRegistry } from '../registry/store.ts';
import type { RecordRegistry } from '../registry/tables.ts';
import type { Tx } from '../store.ts';
import { EMPTY_HASH } from './sweeping/hashing.ts';
import { isOpen, mayJoin } from './rules.ts';
import {
  findOpenCertificate,
  findWaitingCertificate,
  insertCertificate,
  listCertificates,
  lockBeginning,
  lockCertificate,
  removeGaps,
  setCertificate,
} from './store.ts';
import type { Certificate } from './tables.ts';

/**
 * Compares an object with Pipedrive, as a whole; one comparison at a time. One that has begun to read
 * may have passed what is missing now, so whoever asks then gets the next one.
 */
export async function verifyCompleteness(
  tx: Tx,
  wanted: { connection: Connection; object: PipedriveObject; repairs: boolean },
  { asker, now }: { asker: Origin; now: Date },
): Promise<Certificate> {
  const { connection, object, repairs } = wanted;
  const { workspace_id, company_id } = connection;
  const registry = await findRegistry(tx, { workspace_id, company_id, object });
  if (registry === undefined) {
    throw new Refusal('precondition', `Records of the kind ${object} are not tracked`, {
      reason: 'not_tracked',
      field: 'input.object',
      fix: 'Track them first, with the mutation trackRecords.',
    });
  }
  return beginCertificate(tx, registry, { asker, repairs, now });
}

/** As `verifyCompleteness`, once per key. */
export async function verifyOnce(
  tx: Tx,
  wanted: Parameters<typeof verifyCompleteness>[1],
  by: { asker: Origin; now: Date; idempotencyKey: string | undefined },
): Promise<Certificate> {
  const { connection, object, repairs } = wanted;
  const { asker, now, idempotencyKey: key } = by;
  const input = { connectionId: connection.id, object, repairs };
  const parseId = (id: string) => CompletenessCertificateId.parse(id);
  const operation = 'verifyCompleteness';
  const call = { workspaceId: asker.workspaceId, operation, key, input, now, parseId };
  const { id } = await createOnce(
    tx,
    call,
    async () => (await verifyCompleteness(tx, wanted, { asker, now })).id,
  );
  const [certificate] = await listCertificates(tx, [id]);
  if (certificate !== undefined) return certificate;
  throw new Refusal('not_found', 'The certificate of this key is no longer kept', {
    reason: 'record_not_found',
    field: 'input.idempotencyKey',
    fix: 'Use a new key to verify again.',
  });
}

const NOTHING_YET = {
  cursor: null,
  last_id: '0',
  is_read: false,
  judge_at: null,
  pipedrive_count: 0,
  pipedrive_hash: EMPTY_HASH,
  known_count: null,
  known_hash: null,
  missing: 0,
  stale: 0,
  extra: 0,
  hidden: 0,
  repaired: 0,
  first_missing_id: null,
  first_stale_id: null,
  first_extra_id: null,
  cost_tokens: 0,
  as_of: null,
  taken_at: null,
  finished_at: null,
  sight: null,
  restarts: 0,
  judged_id: '0',
  has_more: false,
  reason: null,
  cause: null,
} satisfies Partial<Certificate>;

interface Begun {
  asker: Origin;
  repairs: boolean;
  now: Date;
}

/** The comparison that serves somebody who asks now: one that has read nothing yet, or a new one. */
export async function beginCertificate(
  tx: Tx,
  registry: RecordRegistry,
  begun: Begun,
): Promise<Certificate> {
  await lockBeginning(tx, registry);
  const certificate = await beginLocked(tx, registry, begun);
  await setRegistry(tx, registry, { due_at: begun.now });
  return certificate;
}

async function beginLocked(tx: Tx, registry: RecordRegistry, begun: Begun): Promise<Certificate> {
  const running = await findOpenCertificate(tx, registry);
  // as it is once whoever works on it now has written what it did
  const open = running && (await lockCertificate(tx, running.id));
  const waiting = await findWaitingCertificate(tx, registry);
  if (open === undefined && waiting !== undefined) {
    const repairs = waiting.repairs || begun.repairs;
    const now = { ...placeNow(registry), repairs, started_at: begun.now };
    const started = { ...now, state: 'CHECKING' } as const;
    return (await setCertificate(tx, waiting.id, started)) ?? waiting;
  }
  const joined = mayJoin(open) ? open : waiting;
  if (joined !== undefined) return join(tx, joined, begun.repairs);
  const state = open === undefined ? 'CHECKING' : 'WAITING';
  const certificate = newCertificate(registry, { ...begun, state });
  await insertCertificate(tx, certificate);
  return certificate;
}

/** What a comparison finds when it begins. */
const placeNow = (registry: RecordRegistry) => ({
  connection_id: registry.connection_id,
  is_baseline: registry.swept_until === null,
  keys: registry.wanted_keys,
});

const newCertificate = (
  registry: RecordRegistry,
  { asker, repairs, now, state }: Begun & Pick<Certificate, 'state'>,
): Certificate => ({
  workspace_id: registry.workspace_id,
  id: newId('cc', CompletenessCertificateId),
  company_id: registry.company_id,
  object: registry.object,
  ...placeNow(registry),
  state,
  repairs,
  ...NOTHING_YET,
  actor_kind: asker.actor.kind === 'user' ? 'user' : 'service',
  actor_id: asker.actor.id,
  correlation_id: asker.correlationId,
  started_at: now,
});

/** Who asks for a comparison with repairs gets them, also when it was begun without. */
async function join(tx: Tx, joined: Certificate, repairs: boolean): Promise<Certificate> {
  if (joined.repairs || !repairs) return joined;
  return (await setCertificate(tx, joined.id, { repairs: true })) ?? joined;
}

/** Ends a comparison early. The first scan of a tracked object cannot be left out: untrack it instead. */
export async function cancelVerification(
  tx: Tx,
  id: CompletenessCertificateId,
  now: Date,
): Promise<Certificate> {
  const certificate = await lockCertificate(tx, id);
  if (certificate === undefined) {
    throw new Refusal('not_found', `There is no certificate ${id}`, {
      reason: 'record_not_found',
      field: 'input.id',
      fix: 'Use the id of one of `completeness`.',
    });
  }
  const registry = await findRegistry(tx, certificate);
  if (!isOpen(certificate.state)) return certificate;
  const isFirst = registry !== undefined && decideTracking(registry) === 'BUILDING';
  if (isFirst && certificate.state !== 'WAITING') {
    throw new Refusal('precondition', 'This comparison is the first reading of a tracked object', {
      reason: 'verification_needed',
      field: 'input.id',
      fix: 'Stop tracking the object with the mutation untrackRecords.',
    });
  }
  await removeGaps(tx, id);
  // the one that waited for it begins
  await setRegistry(tx, certificate, { due_at: now });
  const change = { state: 'CANCELLED', finished_at: now } as const;
  return (await setCertificate(tx, id, change)) ?? certificate;
}
