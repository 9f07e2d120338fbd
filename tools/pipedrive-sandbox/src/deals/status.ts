import { type JsonObject, textOf } from '../json.ts';
import { type BuildContext, readMoment } from '../records/kind.ts';
import { wholeSeconds } from '../times.ts';

const ZONE = 'Europe/Tallinn';
const localDay = new Intl.DateTimeFormat('en-CA', { timeZone: ZONE });

/** Won and lost stamp their times, which a body may set; open clears them. */
export function applyStatus(base: JsonObject, body: JsonObject, context: BuildContext): void {
  const { issues, world } = context;
  if (body.status !== undefined) {
    if (body.status !== 'open' && body.status !== 'won' && body.status !== 'lost')
      return void issues.push({ key: 'status', message: 'Expected open | won | lost' });
    if (body.status !== base.status) enter(base, body.status, wholeSeconds(world.now()));
  }
  if (body.lost_reason !== undefined) base.lost_reason = body.lost_reason;
  if (base.status !== 'lost' && typeof body.lost_reason === 'string')
    issues.push({ key: 'lost_reason', message: 'Only a lost deal has a reason' });
  for (const key of ['won_time', 'lost_time', 'close_time'] as const) {
    const at = readMoment(body, key, context);
    if (at === undefined) continue;
    if (key !== 'close_time' && base.status !== key.replace('_time', ''))
      issues.push({ key, message: `The deal is ${textOf(base.status)}` });
    base[key] = at;
    if (key !== 'close_time' && body.close_time === undefined) base.close_time = at;
  }
  base.local_won_date = dayOf(base.won_time);
  base.local_lost_date = dayOf(base.lost_time);
  base.local_close_date = dayOf(base.close_time);
}

function enter(base: JsonObject, status: 'open' | 'won' | 'lost', now: string): void {
  base.status = status;
  base.won_time = status === 'won' ? now : null;
  base.lost_time = status === 'lost' ? now : null;
  base.close_time = status === 'open' ? null : now;
  if (status !== 'lost') base.lost_reason = null;
}

function dayOf(time: unknown): string | null {
  return typeof time === 'string' ? localDay.format(new Date(time)) : null;
}
