import { CompletenessFailed, CompletenessVerified, type ReasonCode } from '@manifold/contracts';
import { publish } from '@manifold/messaging';
import type { Tx } from '../../store.ts';
import type { Certificate } from '../tables.ts';

/** Says how a comparison, or the repair after it, ended. */
export async function tellVerified(tx: Tx, certificate: Certificate, now: Date): Promise<void> {
  const { state } = certificate;
  switch (state) {
    case 'WAITING':
    case 'CHECKING':
    case 'CANCELLED':
    case 'FAILED':
      return;
    case 'BASELINE':
    case 'CLEAN':
    case 'GAPS':
    case 'REPAIRING':
    case 'REPAIRED':
      return publish(tx, CompletenessVerified, {
        ...about(certificate),
        payload: {
          ...named(certificate),
          outcome: state,
          pipedriveCount: certificate.pipedrive_count,
          knownCount: certificate.known_count ?? 0,
          missing: certificate.missing,
          stale: certificate.stale,
          extra: certificate.extra,
          costTokens: certificate.cost_tokens,
          ...(certificate.as_of === null ? {} : { asOf: certificate.as_of.toISOString() }),
        },
        now,
      });
  }
}

/** Says that a comparison was given up, and why. */
export async function tellFailed(
  tx: Tx,
  certificate: Certificate,
  { reason, now }: { reason: ReasonCode; now: Date },
): Promise<void> {
  await publish(tx, CompletenessFailed, {
    ...about(certificate),
    payload: { ...named(certificate), reason, costTokens: certificate.cost_tokens },
    now,
  });
}

const about = (certificate: Certificate) => ({
  origin: {
    workspaceId: certificate.workspace_id,
    actor: { kind: certificate.actor_kind, id: certificate.actor_id },
    correlationId: certificate.correlation_id,
  },
  key: certificate.id,
});

const named = ({ connection_id, id, object }: Certificate) => ({
  connectionId: connection_id,
  certificateId: id,
  object,
});
