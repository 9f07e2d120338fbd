export const GRANT_FAULT_KINDS = ['rotate', 'revoke-on-reuse', 'refuse', 'slow', '500'] as const;
export type GrantFaultKind = (typeof GRANT_FAULT_KINDS)[number];

/** What goes wrong on purpose when a grant is refreshed. */
export interface GrantFault {
  kind: GrantFaultKind;
  /** Of which grants; without them of all. */
  clientId?: string;
  userId?: number;
  /** Of slow. */
  ms: number;
  /** How often it still strikes; null is until it is removed. */
  times: number | null;
}

export interface GrantKey {
  clientId: string;
  /** null when the refresh token is nobody's. */
  userId: number | null;
}

/** How refresh calls of one grant ended. */
export interface RefreshCounts extends GrantKey {
  asked: number;
  granted: number;
  refused: number;
  /** How often the grant was lost because an old refresh token came back. */
  revoked: number;
}

export interface Refreshes {
  addFault(fault: GrantFault): GrantFault;
  listFaults(): GrantFault[];
  clearFaults(): void;
  /** The faults that strike this refresh, each used up once. */
  take(grant: GrantKey): GrantFault[];
  /** Whether old refresh tokens of this grant are deadly. */
  revokesOnReuse(grant: GrantKey): boolean;
  count(grant: GrantKey, what: 'asked' | 'granted' | 'refused' | 'revoked'): void;
  counts(): RefreshCounts[];
}

const MAX_FAULTS = 1_000;

export function createRefreshes(): Refreshes {
  let faults: GrantFault[] = [];
  const counts = new Map<string, RefreshCounts>();
  const fits = (fault: GrantFault, { clientId, userId }: GrantKey) =>
    (fault.clientId ?? clientId) === clientId && (fault.userId ?? userId) === userId;

  return {
    addFault(fault) {
      faults = [...faults, fault].slice(-MAX_FAULTS);
      return fault;
    },
    listFaults: () => faults,
    clearFaults() {
      faults = [];
    },
    take(grant) {
      const struck = faults.filter((fault) => fits(fault, grant));
      for (const fault of struck) if (fault.times !== null) fault.times -= 1;
      faults = faults.filter((fault) => fault.times !== 0);
      return struck;
    },
    revokesOnReuse: (grant) =>
      faults.some((fault) => fault.kind === 'revoke-on-reuse' && fits(fault, grant)),
    count(grant, what) {
      const key = `${grant.clientId} ${grant.userId}`;
      const { clientId, userId } = grant;
      const known = counts.get(key) ?? {
        clientId,
        userId,
        asked: 0,
        granted: 0,
        refused: 0,
        revoked: 0,
      };
      known[what] += 1;
      counts.set(key, known);
    },
    counts: () => [...counts.values()],
  };
}
