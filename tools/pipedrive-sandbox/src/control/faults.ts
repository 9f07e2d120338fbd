import { FAULT_KINDS } from '../faults/faults.ts';
import { refused } from '../http/problem.ts';
import { json, type Reply } from '../http/reply.ts';
import { isObject, type JsonObject } from '../json.ts';
import type { World } from '../world.ts';
import { readNumber, readText } from './values.ts';

/** `{kind, match, ms, times, share, seed}`. */
export function addFault(body: JsonObject, _: URLSearchParams, world: World): Reply {
  const kind = FAULT_KINDS.find((known) => known === body.kind);
  if (kind === undefined) throw refused(400, `kind must be one of ${FAULT_KINDS.join(', ')}`);
  const match = isObject(body.match) ? body.match : {};
  const optional = (key: string) =>
    match[key] === undefined ? {} : { [key]: readText(match, key) };
  const { share = 1, seed = 1 } = body;
  if (typeof share !== 'number' || !(share >= 0 && share <= 1))
    throw refused(400, 'share must be a number from 0 to 1');
  const fault = world.faults.add({
    kind,
    match: { ...optional('method'), ...optional('path'), ...optional('event') },
    ms: readNumber(body, 'ms', 0),
    times: body.times === undefined ? null : readNumber(body, 'times', 1),
    share,
    seed: typeof seed === 'object' ? JSON.stringify(seed) : String(seed),
  });
  return json(201, fault);
}
