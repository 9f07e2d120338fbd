/** How long calls to Pipedrive may take; the shortest settle time is reckoned by it. */
export const callTiming = {
  /** Generous: a page of 500 records with many fields takes Pipedrive seconds. */
  timeoutMs: 20_000,
  /** A call whose token was turned away is made once more when the new one was there this soon. */
  againWithinMs: 10_000,
};
