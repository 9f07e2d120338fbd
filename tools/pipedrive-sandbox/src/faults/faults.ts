import { createRandom } from '../generate/random.ts';

const REQUEST_FAULTS = ['latency', '429', '500', 'cut-before', 'cut-after', 'late-commit'] as const;
const HOOK_FAULTS = ['drop-hook', 'double-hook', 'reorder-hook'] as const;

/** What can go wrong on purpose. */
export const FAULT_KINDS = [...REQUEST_FAULTS, ...HOOK_FAULTS] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface FaultOptions {
  /** `path` may end in `*`; of a hook's fault it is the subscription URL. `event` is for those only. */
  match: { method?: string; path?: string; event?: string };
  kind: FaultKind;
  /** Of latency, of a late commit, and the longest a reordered hook is held back. */
  ms: number;
  /** How often it still strikes; null is until it is removed. */
  times: number | null;
  /** Which part of the matching requests it strikes, from 0 to 1. */
  share: number;
  /** The same seed strikes the same ones. */
  seed: string;
}

export interface Fault extends FaultOptions {
  id: number;
  /** How often it has struck. */
  struck: number;
}

export interface Faults {
  add(fault: FaultOptions): Fault;
  list(): Fault[];
  clear(): void;
  /** The faults that strike this request, each used up once. */
  take(method: string, path: string): Fault[];
  takeForHook(url: string, event: string): Fault[];
  /** How often each kind has struck since the start, by removed faults too. */
  totals(): Partial<Record<FaultKind, number>>;
}

const MAX_FAULTS = 1_000;

export function createFaults(): Faults {
  let faults: { fault: Fault; draw: () => number }[] = [];
  let nextId = 1;
  const totals: Partial<Record<FaultKind, number>> = {};

  function use(fits: (fault: Fault) => boolean): Fault[] {
    if (faults.length === 0) return [];
    const struck = faults
      .filter(({ fault, draw }) => fault.times !== 0 && fits(fault) && draw() < fault.share)
      .map(({ fault }) => fault);
    for (const fault of struck) {
      fault.struck += 1;
      totals[fault.kind] = (totals[fault.kind] ?? 0) + 1;
      if (fault.times !== null) fault.times -= 1;
    }
    faults = faults.filter(({ fault }) => fault.times !== 0);
    return struck;
  }

  return {
    add(options) {
      const fault = { ...options, id: nextId, struck: 0 };
      nextId += 1;
      const random = createRandom(`fault ${options.seed}`);
      const added = { fault, draw: () => random.next() };
      faults = [...faults, added].slice(-MAX_FAULTS);
      return fault;
    },
    list: () => faults.map(({ fault }) => fault),
    clear() {
      faults = [];
    },
    take: (method, path) =>
      use(({ kind, match }) => {
        if (isHookFault(kind)) return false;
        return (match.method ?? method).toUpperCase() === method && fitsPath(match.path, path);
      }),
    takeForHook: (url, event) =>
      use(({ kind, match }) => {
        return isHookFault(kind) && fitsPath(match.path, url) && (match.event ?? event) === event;
      }),
    totals: () => totals,
  };
}

function isHookFault(kind: FaultKind): boolean {
  return HOOK_FAULTS.some((known) => known === kind);
}

function fitsPath(pattern: string | undefined, path: string): boolean {
  if (pattern === undefined) return true;
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}
