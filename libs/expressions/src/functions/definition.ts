import type { Environment } from '@marcbachmann/cel-js';
import type { Meter } from '../meter.ts';
import { own } from './names.ts';

/** Signature and what it does. `timestamp` and `duration` are short for their long names. */
export type Definitions = Readonly<Record<string, Handler>>;

// values were matched to the signature before
// oxlint-disable-next-line typescript/no-explicit-any
type Handler = (...args: any[]) => unknown;

export type DefinitionsWith = (meter: Meter) => Definitions;

const SIGNATURE = /^(?:([\w.<>]+)\.)?(\w+)\((.*)\): (.+)$/;

/** Registers functions under their own name, or under one that replaces the built-in of that name. */
export function register(
  environment: Environment,
  definitions: Definitions,
  { replacing }: { replacing: boolean },
): void {
  for (const [signature, handler] of Object.entries(definitions)) {
    const [, receiver, name = '', args = '', returned = ''] = SIGNATURE.exec(signature) ?? [];
    environment.registerFunction({
      name: replacing ? own(name) : name,
      ...(receiver === undefined ? {} : { receiverType: full(receiver) }),
      params: args === '' ? [] : args.split(', ').map((type) => ({ name: type, type: full(type) })),
      returnType: full(returned),
      handler,
      async: false,
    });
  }
}

const full = (type: string): string =>
  type
    .replaceAll('timestamp', 'google.protobuf.Timestamp')
    .replaceAll('duration', 'google.protobuf.Duration');
