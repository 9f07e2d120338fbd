import { createHash } from 'node:crypto';
import type { DifferingGap, Version } from '../rules.ts';

const MODULUS = 1n << 128n;

const hashOf = ({ id, time }: Version): bigint =>
  BigInt(
    `0x${createHash('sha256')
      .update(`${id}|${Math.floor(time.getTime() / 1000)}`)
      .digest('hex')
      .slice(0, 32)}`,
  );

export const EMPTY_HASH = '0'.repeat(32);

/** Adds versions to a sum of hashes, which does not depend on their order. */
export function addToHash(sum: string, versions: readonly Version[]): string {
  const total = versions.reduce((now, version) => now + hashOf(version), BigInt(`0x${sum}`));
  return toHex(total);
}

const toHex = (total: bigint): string =>
  (((total % MODULUS) + MODULUS) % MODULUS).toString(16).padStart(32, '0');

/** What our side's hash is, given Pipedrive's and everything in which we differ. */
export function knownHash(pipedriveHash: string, gaps: readonly DifferingGap[]): string {
  const difference = gaps.reduce((now, { pipedrive_id: id, pipedrive_time, known_time }) => {
    const theirs = pipedrive_time === null ? 0n : hashOf({ id, time: pipedrive_time });
    const ours = known_time === null ? 0n : hashOf({ id, time: known_time });
    return now + ours - theirs;
  }, 0n);
  return toHex(BigInt(`0x${pipedriveHash}`) + difference);
}
