/** What can go wrong on purpose. */
export const FAULT_KINDS = [
  'latency',
  '429',
  '500',
  'cut-before',
  'cut-after',
  'drop-hook',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  id: number;
  /** `path` may end in `*`; for `drop-hook` it is the subscription URL. `event` is for `drop-hook` only. */
  match: { method?: string; path?: string; event?: string };
  kind: FaultKind;
  /** Of latency. */
  ms: number;
  /** How often it still strikes; null is until it is removed. */
  times: number | null;
}

export interface Faults {
  add(fault: Omit<Fault, 'id'>): Fault;
  list(): Fault[];
  clear(): void;
  /** The faults that strike this request, each used up once. */
  take(method: string, path: string): Fault[];
  takeDroppedHook(url: string, event: string): boolean;
}

const MAX_FAULTS = 1_000;

export function createFaults(): Faults {
  let faults: Fault[] = [];
  let nextId = 1;

  function use(fits: (fault: Fault) => boolean): Fault[] {
    const struck = faults.filter((fault) => fault.times !== 0 && fits(fault));
    for (const fault of struck) if (fault.times !== null) fault.times -= 1;
    faults = faults.filter((fault) => fault.times !== 0);
    return struck;
  }

  return {
    add(fault) {
      const added = { ...fault, id: nextId };
      nextId += 1;
      faults = [...faults, added].slice(-MAX_FAULTS);
      return added;
    },
    list: () => faults,
    clear() {
      faults = [];
    },
    take: (method, path) =>
      use(({ kind, match }) => {
        if (kind === 'drop-hook') return false;
        return (match.method ?? method).toUpperCase() === method && fitsPath(match.path, path);
      }),
    takeDroppedHook: (url, event) =>
      use(({ kind, match }) => {
        return (
          kind === 'drop-hook' && fitsPath(match.path, url) && (match.event ?? event) === event
        );
      }).length > 0,
  };
}

function fitsPath(pattern: string | undefined, path: string): boolean {
  if (pattern === undefined) return true;
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}
