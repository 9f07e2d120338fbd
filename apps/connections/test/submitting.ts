import {
  type ConnectionId,
  SubmitWrite,
  type WorkspaceId,
  type WriteCommand,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { ask } from '@manifold/messaging';
import type { RecordObject } from '@manifold/pipedrive';
import type { z } from 'zod';
import type { Db } from '../src/store.ts';
import { findRequest, listSteps } from '../src/writes/store.ts';
import type { createBystander } from './bystander.ts';
import { listEvents } from './looking.ts';
import { commandOf } from './write-commands.ts';

type Command = Partial<z.input<typeof WriteCommand>>;

interface Place {
  db: Db;
  nats: Parameters<typeof ask>[0];
  workspaceId: WorkspaceId;
  connectionId: ConnectionId;
  bystander: ReturnType<typeof createBystander>;
  /** From `@manifold/testing`. */
  eventually: <Result>(
    assertion: () => Promise<Result>,
    options?: { timeoutMs?: number },
  ) => Promise<Result>;
}

/** Writes through a whole service, as other services ask it to. */
export function createSubmitting(place: Place) {
  const { db, nats, workspaceId, connectionId, bystander, eventually } = place;
  const written = async (command: Command) => {
    const wanted = commandOf({ workspaceId, connectionId }, command);
    const { writeRequestId: id } = await ask(nats, SubmitWrite, wanted);
    return eventually(
      () =>
        withWorkspace(db, workspaceId, async (tx) => {
          // the request first: once it is at rest, so are its steps
          const state = (await findRequest(tx, id))?.state;
          const steps = await listSteps(tx, [id]);
          if (state !== undefined && state !== 'pending' && state !== 'parked') return steps;
          const seen = steps.map((step) => `${step.state} ${step.reason} ${step.cause}`).join();
          throw new Error(`the request is ${state}: ${seen}`);
        }),
      { timeoutMs: 15_000 },
    );
  };
  return {
    written,
    /** The one step of a request, and what Pipedrive says was spent meanwhile. */
    writtenOne: async (command: Command) => {
      const before = (await bystander.ledger()).tokens;
      const [step] = await written(command);
      if (step === undefined) throw new Error('the request has no step');
      return { step, spent: (await bystander.ledger()).tokens - before };
    },
    /** Waits for Pipedrive's webhook about a change of a record; whose it was taken for. */
    toldOf: (object: RecordObject, id: string | null, action: string) =>
      eventually(
        async () => {
          const told = await listEvents(db, workspaceId, 'record_changed');
          const mine = told.filter(
            ({ payload }) =>
              payload.object === object && payload.pipedriveId === id && payload.action === action,
          );
          if (mine.length === 0) throw new Error(`nothing was told of ${object} ${id} ${action}`);
          return mine.map(({ payload }) => payload.origin);
        },
        { timeoutMs: 10_000 },
      ),
    overwritten: () => listEvents(db, workspaceId, 'record_overwritten'),
  };
}
