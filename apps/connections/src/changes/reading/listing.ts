import {
  boundedText,
  checkCursor,
  IdPart,
  optional,
  orderBy,
  type PageArguments,
  type PageRequest,
  readPage,
} from '@manifold/subgraph';
import { z } from 'zod';
import type { StepState } from '../../writes/tables.ts';
import type { ChangeFilter } from '../rows/shown/store.ts';
import type { ChangeState } from '../rules.ts';
import type { ChangeSetFilter } from '../store.ts';
import type { ChangeSetState } from '../tables.ts';

const setStates = [
  ...['OPEN', 'PLANNING', 'AWAITING_APPROVAL', 'APPLYING', 'PAUSED'],
  ...['DONE', 'CANCELLED', 'FAILED'],
] as const;

/** As the graph spells them, and how they are stored. */
const storedStates: Record<(typeof setStates)[number], ChangeSetState[]> = {
  OPEN: ['open'],
  PLANNING: ['planning'],
  AWAITING_APPROVAL: ['awaiting_approval'],
  APPLYING: ['applying'],
  PAUSED: ['paused'],
  DONE: ['done'],
  CANCELLED: ['cancelling', 'cancelled'],
  FAILED: ['failed'],
};

export const shownState = (state: ChangeSetState): string =>
  state === 'cancelling' ? 'CANCELLED' : state.toUpperCase();

const SetFilter = z.object({
  state: optional(z.array(z.enum(setStates)).max(8)),
  kind: optional(z.enum(['WRITE', 'UNDO'])),
  connectionId: optional(boundedText(64)),
  cause: optional(
    z.object({
      service: optional(boundedText(32)),
      type: optional(boundedText(64)),
      id: optional(boundedText(64)),
    }),
  ),
});
const SetArguments = z.object({ filter: optional(SetFilter), orderBy: orderBy(['CREATED_AT']) });

/** The arguments of the query `changeSets`, checked; newest first when no order is given. */
export function readSetListing(args: PageArguments): {
  filter: ChangeSetFilter;
  page: PageRequest & { newestFirst: boolean };
} {
  const { filter, orderBy: order } = SetArguments.parse(args);
  const page = checkCursor(readPage(args), [IdPart]);
  return {
    filter: {
      states: filter?.state?.flatMap((state) => storedStates[state]),
      kind: filter?.kind,
      connectionId: filter?.connectionId,
      causeService: filter?.cause?.service,
      causeType: filter?.cause?.type,
      causeId: filter?.cause?.id,
    },
    page: { ...page, newestFirst: order?.direction !== 'ASC' },
  };
}

/** States of steps behind the states of changes; a step that rests does not tell whether it is planned. */
const stepStates: Record<ChangeState, StepState[]> = {
  PENDING: [],
  PLANNED: [],
  APPLYING: ['queued', 'sending', 'unknown'],
  APPLIED: ['applied', 'superseded'],
  UNCHANGED: ['no_change'],
  SKIPPED: ['skipped'],
  PARKED: ['parked'],
  CANCELLED: ['cancelled'],
};
const changeStates = [
  ...['PENDING', 'PLANNED', 'APPLYING', 'APPLIED'],
  ...['UNCHANGED', 'SKIPPED', 'PARKED', 'CANCELLED'],
] as const;
const effects = ['CREATE', 'UPDATE', 'DELETE', 'MERGE', 'LINK', 'NONE'] as const;
const storedEffects = {
  CREATE: 'create',
  UPDATE: 'update',
  DELETE: 'delete',
  MERGE: 'merge',
  LINK: 'link',
  NONE: 'none',
} as const;

const Filter = z.object({
  state: optional(z.array(z.enum(changeStates)).max(8)),
  effect: optional(z.array(z.enum(effects)).max(6)),
  reason: optional(z.array(boundedText(64)).max(50)),
});
const ChangeArguments = z.object({ filter: optional(Filter) });

/** The arguments of the field `changes`, checked. */
export function readChangeListing(args: PageArguments): {
  filter: ChangeFilter;
  page: PageRequest;
} {
  const { filter } = ChangeArguments.parse(args);
  return {
    filter: {
      effects: filter?.effect?.map((effect) => storedEffects[effect]),
      states: filter?.state && {
        isPending: filter.state.includes('PENDING'),
        isPlanned: filter.state.includes('PLANNED'),
        ofSteps: filter.state.flatMap((state) => stepStates[state]),
      },
      reasons: filter?.reason,
    },
    page: checkCursor(readPage(args), [IdPart]),
  };
}
