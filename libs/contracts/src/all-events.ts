import type { ZodType } from 'zod';
import * as changeSets from './change-sets.ts';
import * as connections from './connections.ts';
import * as contacts from './contacts.ts';
import type { EventSummary } from './event.ts';
import * as fieldMapping from './field-mapping.ts';
import * as referrals from './referrals.ts';
import { MessageDiscarded, MessageParked, MessageReplayed } from './services.ts';
import * as settledWrites from './settled-writes.ts';
import * as tracking from './tracking.ts';
import * as workspaces from './workspaces.ts';

/** An event whose payload is not known to the caller: enough to parse, summarise and describe it. */
export interface AnyEvent {
  readonly name: string;
  readonly envelope: ZodType;
  readonly summarise: (body: unknown) => EventSummary;
}

const isEvent = (value: unknown): value is AnyEvent =>
  typeof value === 'object' && value !== null && 'envelope' in value && 'summarise' in value;

/** Every event of the system, by name. */
export const allEvents: ReadonlyMap<string, AnyEvent> = new Map(
  [
    changeSets,
    connections,
    contacts,
    fieldMapping,
    referrals,
    settledWrites,
    tracking,
    workspaces,
    MessageDiscarded,
    MessageParked,
    MessageReplayed,
  ]
    .flatMap((module) => Object.values(module).filter(isEvent))
    .map((event) => [event.name, event]),
);
