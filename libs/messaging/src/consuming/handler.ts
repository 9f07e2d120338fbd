import type { EventDefinition, EventEnvelope } from '@manifold/contracts';
import type { Transaction } from 'kysely';
import type { z } from 'zod';

/** What a service does about one event. */
export interface Handler<Tables> {
  readonly eventName: string;
  /** Values that keep their order: events with the same key are handled one after the other. */
  readonly keyOf: (event: EventEnvelope) => string;
  /** False: an event is none of the service's business, and is acknowledged without a trace. */
  readonly concerns?: (event: EventEnvelope) => boolean;
  /** True: `prepare` asks others, so it is not done for an event that will not be handled now. */
  readonly asks?: boolean;
  /** Reads what the event refers to, outside the transaction; may ask other services. */
  readonly prepare: (event: unknown) => Promise<(tx: Transaction<Tables>) => Promise<void>>;
}

type EventOf<Definition extends EventDefinition> = z.infer<Definition['envelope']>;

interface Options<Definition extends EventDefinition> {
  /** Absent: all events of a workspace keep their order. */
  keyOf?: (event: EventOf<Definition>) => string;
  /** Which events matter here; absent: all. Decided before anything is written. */
  concerns?: (event: EventOf<Definition>) => boolean;
}

/** Pairs an event with what to do about it, in one transaction with the note that it was done. */
export function on<Tables, Definition extends EventDefinition>(
  definition: Definition,
  react: (tx: Transaction<Tables>, event: EventOf<Definition>) => Promise<void>,
  options: Options<Definition> = {},
): Handler<Tables> {
  const nothing = async () => undefined;
  const handler = onPrepared<Tables, Definition, undefined>(
    definition,
    nothing,
    (tx, event) => react(tx, event),
    options,
  );
  return { ...handler, asks: false };
}

/** As `on`, with a step before the transaction: what it returns is handed to `react`. */
export function onPrepared<Tables, Definition extends EventDefinition, Prepared>(
  definition: Definition,
  prepare: (event: EventOf<Definition>) => Promise<Prepared>,
  react: (tx: Transaction<Tables>, event: EventOf<Definition>, prepared: Prepared) => Promise<void>,
  options: Options<Definition> = {},
): Handler<Tables> {
  // parsed by this very envelope before it is used
  const parse = (event: unknown) => definition.envelope.parse(event) as EventOf<Definition>;
  return {
    eventName: definition.name,
    keyOf: (event) => options.keyOf?.(parse(event)) ?? event.workspaceId,
    concerns: (event) => options.concerns?.(parse(event)) ?? true,
    asks: true,
    prepare: async (unparsed) => {
      const event = parse(unparsed);
      const prepared = await prepare(event);
      return (tx) => react(tx, event, prepared);
    },
  };
}
