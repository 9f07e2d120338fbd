import {
  discardDeadLettersOf,
  findDeadLettersOf,
  listDeadLettersOf,
  replayDeadLettersOf,
  type ServiceName,
  services,
} from '@manifold/contracts';
import { inboxPrefixOf } from './connect.ts';

/** What one NATS user may publish and subscribe to, as subjects. */
export interface NatsAccess {
  user: string;
  publish: string[];
  subscribe: string[];
  /** Wins over `publish`. */
  publishDenied?: string[];
}

/** Whose events a participant follows with a durable consumer, whom it asks, whom it hears live. */
interface Participation {
  follows: readonly ServiceName[];
  asks: readonly ServiceName[];
  hears?: readonly ServiceName[];
  /** Whose dead letters it lists and has replayed. */
  tends?: readonly ServiceName[];
}

/** The whole traffic of the system, participant by participant. */
const participants: Readonly<Record<ServiceName | 'gateway', Participation>> = {
  workspaces: { follows: [], asks: [] },
  connections: { follows: [], asks: [] },
  'field-mapping': { follows: ['connections'], asks: ['connections'] },
  contacts: { follows: ['connections', 'field-mapping'], asks: ['connections', 'field-mapping'] },
  referrals: { follows: ['connections', 'field-mapping'], asks: ['connections', 'field-mapping'] },
  audit: { follows: services, asks: [], tends: services },
  // what can be followed in the graph is declared by each service for itself
  gateway: { follows: [], asks: ['workspaces'], hears: services },
};

/** The services that follow events and so may give up on one. */
export const keepersOfDeadLetters: readonly ServiceName[] = services.filter(
  (service) => participants[service].follows.length > 0,
);

/** The subjects one participant may use; everything else is refused by the broker. */
export function accessOf(name: ServiceName | 'gateway'): NatsAccess {
  const { follows, asks, hears = [], tends = [] } = participants[name];
  const own = services.filter((service) => service === name);
  const askers = Object.entries(participants).filter(([, other]) =>
    [...other.asks, ...(other.tends ?? [])].some((service) => service === name),
  );
  return {
    user: name,
    publish: [
      ...own.map((service) => `${service}.>`),
      ...[...new Set([...own, ...follows])].flatMap((stream) => [
        `$JS.API.STREAM.CREATE.${stream}`,
        `$JS.API.STREAM.INFO.${stream}`,
      ]),
      // its owner adjusts its size, and makes one that was set back anew
      ...own.flatMap((stream) => [
        `$JS.API.STREAM.UPDATE.${stream}`,
        `$JS.API.STREAM.DELETE.${stream}`,
      ]),
      ...follows.flatMap((stream) => [
        ...consumerSubjects(stream, name),
        `$JS.API.CONSUMER.DELETE.${stream}.${name}`,
      ]),
      ...asks.map((service) => `request.${service}.>`),
      ...tends.flatMap((service) => [
        replayDeadLettersOf(service).subject,
        discardDeadLettersOf(service).subject,
        findDeadLettersOf(service).subject,
        listDeadLettersOf(service).subject,
      ]),
      // replies go to the askers' inboxes only
      ...askers.map(([asker]) => `${inboxPrefixOf(asker)}.>`),
    ],
    subscribe: [
      `${inboxPrefixOf(name)}.>`,
      ...own.map((service) => `request.${service}.>`),
      ...hears.map((service) => `${service}.>`),
    ],
  };
}

/**
 * Access for a subscriber outside the system: durable consumers of any name but a service's (so it
 * can neither read nor acknowledge for one), and live events. Events hold ids and facts, never
 * values of records.
 */
export function subscriberAccess(user: string): NatsAccess {
  return {
    user,
    publish: [
      '$JS.API.INFO',
      '$JS.API.STREAM.NAMES',
      '$JS.API.STREAM.LIST',
      ...services.flatMap((stream) => [
        `$JS.API.STREAM.INFO.${stream}`,
        ...consumerSubjects(stream, '*'),
      ]),
    ],
    publishDenied: services.flatMap((stream) =>
      services.flatMap((service) => consumerSubjects(stream, service)),
    ),
    subscribe: ['_INBOX.>', ...services.map((service) => `${service}.>`)],
  };
}

const consumerSubjects = (stream: string, durable: string): string[] => [
  `$JS.API.CONSUMER.CREATE.${stream}.${durable}`,
  `$JS.API.CONSUMER.CREATE.${stream}.${durable}.>`,
  `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${durable}`,
  `$JS.API.CONSUMER.INFO.${stream}.${durable}`,
  `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`,
  `$JS.ACK.${stream}.${durable}.>`,
];
