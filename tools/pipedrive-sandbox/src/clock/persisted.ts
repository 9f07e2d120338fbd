import type { Database } from '../store/database.ts';
import { findSetting, saveSetting } from '../store/settings.ts';
import { type Clock, type ClockOptions, createClock } from './clock.ts';

/** A clock that goes on after a restart where it would have been: since when it runs, and how far it has jumped. */
export function createPersistedClock(db: Database, options: ClockOptions): Clock {
  const saved = findSetting(db, 'clock');
  const { startMs, jumpedMs }: { startMs: number; jumpedMs: number } =
    saved === undefined
      ? { startMs: Math.floor(performance.timeOrigin), jumpedMs: 0 }
      : JSON.parse(saved);
  const save = (ms: number) => saveSetting(db, 'clock', JSON.stringify({ startMs, jumpedMs: ms }));
  if (saved === undefined) save(jumpedMs);
  return createClock({ ...options, start: new Date(startMs), jumpedMs, onJumped: save });
}
