import type { PipedriveFeature, PipedriveObject } from '@manifold/contracts';
import { checkFeature } from '../preflight/rules.ts';
import type { Connection } from '../tables.ts';

/** What writing records of a kind needs; nobody writes users. */
const writing: Record<PipedriveObject, PipedriveFeature | undefined> = {
  person: 'WRITE_CONTACTS',
  organization: 'WRITE_CONTACTS',
  deal: 'WRITE_DEALS',
  lead: 'WRITE_LEADS',
  activity: 'WRITE_ACTIVITIES',
  product: 'WRITE_PRODUCTS',
  note: 'WRITE_NOTES',
  user: undefined,
};

type Candidate = Pick<
  Connection,
  'id' | 'method' | 'scopes' | 'app_name' | 'established_at' | 'created_at'
>;

/**
 * The one of a person's own connections that their writes go out through: the one they connected
 * last, of those that may write such records. None: the organization's has to.
 */
export const chooseActing = <Own extends Candidate>(
  own: readonly Own[],
  objects: readonly PipedriveObject[],
): Own | undefined => own.filter((one) => mayWrite(one, objects)).toSorted(byLatest)[0];

const mayWrite = (connection: Candidate, objects: readonly PipedriveObject[]): boolean =>
  objects.every((object) => {
    const feature = writing[object];
    return feature === undefined || checkFeature(connection, feature, []).isGranted;
  });

const connectedAt = ({ established_at: renewed, created_at: made }: Candidate): number =>
  (renewed ?? made).getTime();

const byLatest = (one: Candidate, other: Candidate): number =>
  connectedAt(other) - connectedAt(one) || (one.id < other.id ? 1 : -1);
