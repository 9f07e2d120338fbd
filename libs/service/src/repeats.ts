import { type LoggerOptions, pino } from 'pino';

type Hooks = NonNullable<LoggerOptions['hooks']>;
type LogMethod = NonNullable<Hooks['logMethod']>;
type Said = Parameters<LogMethod>[0];

const EVERY_MS = 60_000;
/** Kinds told apart at a time; what comes beyond counts as one. */
const MOST_KINDS = 500;
const TELLING = ['service', 'stream', 'subject', 'route', 'name', 'reason'];

interface Kind {
  /** How many were kept back since the last one that was said, and the newest of them. */
  held: number;
  say: (repeated: number) => void;
}

/**
 * Says warnings and errors of one kind at most once a minute, the newest with how many it stands for
 * (`repeated`): an outage must not fill the disk. The first of a kind is said at once. `sayHeld` says
 * what is kept back now.
 */
export function holdRepeats({ everyMs = EVERY_MS }: { everyMs?: number } = {}): {
  logMethod: LogMethod;
  sayHeld: () => void;
} {
  const kinds = new Map<string, Kind>();
  const endMinute = (name: string): void => {
    const kind = kinds.get(name);
    if (kind === undefined || kind.held === 0) return void kinds.delete(name);
    kind.say(kind.held);
    kind.held = 0;
    begin(name);
  };
  const begin = (name: string): void => void setTimeout(endMinute, everyMs, name).unref();
  const logMethod: LogMethod = function holdBack(args, method, level) {
    if (!isLimited(level)) return method.apply(this, args);
    const named = kindOf(args, level);
    const name = kinds.has(named) || kinds.size < MOST_KINDS ? named : `${level}`;
    const known = kinds.get(name);
    if (known) {
      known.held += 1;
      known.say = (repeated) => method.apply(this, withCount(args, repeated));
      return;
    }
    kinds.set(name, { held: 0, say: () => undefined });
    begin(name);
    method.apply(this, args);
  };
  const sayHeld = (): void => {
    for (const kind of kinds.values()) {
      if (kind.held > 0) kind.say(kind.held);
      kind.held = 0;
    }
  };
  return { logMethod, sayHeld };
}

const { warn, error } = pino.levels.values;
const isLimited = (level: number): boolean => level === warn || level === error;

/** What is the same in two lines that say the same. */
function kindOf(args: Said, level: number): string {
  const [about, message]: unknown[] = args;
  if (typeof about !== 'object' || about === null) return `${level}|${String(about)}`;
  const fields = new Map<string, unknown>(Object.entries(about));
  const failure = about instanceof Error ? about : fields.get('err');
  const telling = TELLING.map((key) => fields.get(key));
  return JSON.stringify([level, message, ...telling, ...failureOf(failure)]);
}

function failureOf(failure: unknown): unknown[] {
  if (!(failure instanceof Error)) return [];
  const code = 'code' in failure ? failure.code : undefined;
  // ids, ports and counts make no other kind of failure
  return [failure.name, code, failure.message.replace(/[0-9a-f]{8,}|\d+/g, '#').slice(0, 100)];
}

function withCount(args: Said, repeated: number): Said {
  const [about, ...rest]: unknown[] = args;
  const counted =
    about instanceof Error
      ? [{ err: about, repeated }, ...rest]
      : typeof about === 'object'
        ? [{ ...about, repeated }, ...rest]
        : [{ repeated }, about, ...rest];
  // the form pino takes: an object, then the text and its values
  return counted as Said;
}
