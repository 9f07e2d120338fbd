import { StepSettled, WriteRequestSettled } from '@manifold/contracts';
import { type Handler, on, type Origin } from '@manifold/messaging';
import type { Tables } from '../store.ts';
import { followDelivery } from './commands.ts';
import { applyRequest, applyStep } from './rules.ts';

const originOf = (event: {
  id: NonNullable<Origin['causationId']>;
  workspaceId: Origin['workspaceId'];
  correlationId: string;
}): Origin => ({
  workspaceId: event.workspaceId,
  actor: { kind: 'service', id: 'referrals' },
  correlationId: event.correlationId,
  causationId: event.id,
});

interface Caused {
  payload: { cause: { service: string; id: string } };
}
const keyOf = ({ payload }: Caused): string => payload.cause.id;
const concerns = ({ payload }: Caused): boolean => payload.cause.service === 'referrals';

/** What became of sign-ups in Pipedrive; everything about one sign-up in order. */
export const createDeliveryConsumers = ({ now }: { now: () => Date }): Handler<Tables>[] => [
  on(
    StepSettled,
    (tx, event) => {
      const { payload } = event;
      const about = { origin: originOf(event), cause: payload.cause, now: now() };
      return followDelivery(tx, about, (before) => applyStep(before, payload));
    },
    { keyOf, concerns },
  ),
  on(
    WriteRequestSettled,
    (tx, event) => {
      const { payload } = event;
      const about = { origin: originOf(event), cause: payload.cause, now: now() };
      return followDelivery(tx, about, (before) => applyRequest(before, payload));
    },
    { keyOf, concerns },
  ),
];
