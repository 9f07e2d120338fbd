import { createHash } from 'node:crypto';
import { type Bucket, FAMILIAR, NEWCOMERS, STRANGERS, takeOne } from './rules.ts';

/** Webhooks, and addresses, remembered by one replica; what was not heard of for longest is forgotten. */
const MOST_FAMILIAR = 10_000;

interface Caller {
  path: string;
  authorization: string;
}

export type Admission = ReturnType<typeof createAdmission>;

/**
 * Keeps a flood from the database, for one replica. Whoever was let in before has an allowance of
 * their own, so that forged deliveries cannot use it up; and so has each address deliveries are
 * expected at, for those who come there first, as all do after a restart.
 */
export function createAdmission(now: () => Date) {
  const familiar = new Map<string, Bucket>();
  const addresses = new Map<string, Bucket>();
  let strangers: Bucket | undefined;

  /** 0 when a caller may come in, else how many seconds to wait. `address`: one that is expected. */
  const admit = (caller: Caller, address?: string): number => {
    const name = nameOf(caller);
    const known = familiar.get(name);
    const before = known ?? (address === undefined ? strangers : addresses.get(address));
    const unknown = address === undefined ? STRANGERS : NEWCOMERS;
    const allowance = known === undefined ? unknown : FAMILIAR;
    const { bucket, waitMs } = takeOne(before, allowance, now().getTime());
    if (known !== undefined) remember(familiar, name, bucket);
    else if (address !== undefined) remember(addresses, address, bucket);
    else strangers = bucket;
    return Math.ceil(waitMs / 1_000);
  };
  const isFamiliar = (caller: Caller): boolean => familiar.has(nameOf(caller));

  /** Remembers whether a caller's password was right. */
  const learn = (caller: Caller, isRight: boolean): void => {
    const name = nameOf(caller);
    if (!isRight) familiar.delete(name);
    else if (!familiar.has(name)) {
      remember(familiar, name, { tokens: FAMILIAR.burst, atMs: now().getTime() });
    }
  };
  return { admit, isFamiliar, learn };
}

function remember(buckets: Map<string, Bucket>, name: string, bucket: Bucket): void {
  buckets.delete(name);
  buckets.set(name, bucket);
  const [oldest] = buckets.keys();
  if (buckets.size > MOST_FAMILIAR && oldest !== undefined) buckets.delete(oldest);
}

/** No secret is kept in memory longer than it takes to look at it. */
const nameOf = ({ path, authorization }: Caller): string =>
  createHash('sha256').update(`${path}|${authorization}`).digest('base64');
