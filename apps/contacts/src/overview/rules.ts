const DAY_MS = 86_400_000;
const SERIES_DAYS = 14;

const startOfDay = (time: Date): number => Math.floor(time.getTime() / DAY_MS) * DAY_MS;

/** Thirty days back, to the millisecond. */
export const monthBefore = (now: Date): Date => new Date(now.getTime() - 30 * DAY_MS);

/** The first of the days a series shows; today is the last. */
export const seriesStart = (now: Date): Date =>
  new Date(startOfDay(now) - (SERIES_DAYS - 1) * DAY_MS);

/** Every day of the series in order, those without any included. */
export function fillSeries(
  counted: readonly { date: string; count: number }[],
  now: Date,
): { date: string; count: number }[] {
  const counts = new Map(counted.map(({ date, count }) => [date, count]));
  const start = seriesStart(now).getTime();
  return Array.from({ length: SERIES_DAYS }, (_, index) => {
    const date = new Date(start + index * DAY_MS).toISOString().slice(0, 10);
    return { date, count: counts.get(date) ?? 0 };
  });
}
