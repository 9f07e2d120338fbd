import { coalesce, type StepBody } from '../rules.ts';
import type { WriteStep } from '@manifold/contracts';

/** A step as far as it matters who handed over to whom. */
interface Carrying {
  id: string;
  superseded_by: string | null;
  existing: WriteStep['existing'];
}

/** What one call is to write for a step and for all that handed over to it: the oldest first in `carried`. */
export function bodyWithCarried<Row extends Carrying>(
  carrier: Row,
  carried: readonly Row[],
  open: (step: Row) => StepBody,
): StepBody {
  const bodies = carried
    .filter((step) => step.superseded_by === carrier.id)
    .map((step) => bodyWithCarried(step, carried, open));
  return [...bodies, open(carrier)].reduce((older, newer) =>
    coalesce(older, newer, carrier.existing),
  );
}

/** A chain is read each time its last step is tried. */
const MOST_CARRIED = 50;

export const mayCarryMore = (count: number): boolean => count < MOST_CARRIED;
