/** What was measured, once per sample. */
export interface Figure {
  name: string;
  unit: string;
  samples: readonly number[];
}

export interface Summary {
  name: string;
  unit: string;
  count: number;
  min: number;
  median: number;
  max: number;
}

/** A bench ends when `signal` is aborted, and leaves nothing running either way. */
export type Bench = (signal: AbortSignal) => Promise<Figure[]>;

export const seconds = (milliseconds: number): number => milliseconds / 1000;

/** Throws when nothing was measured, which is a fault of the bench. */
export function summarize({ name, unit, samples }: Figure): Summary {
  const sorted = samples.toSorted((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (min === undefined || max === undefined || upper === undefined || lower === undefined)
    throw new Error(`${name} was not measured.`);
  return { name, unit, count: sorted.length, min, median: (lower + upper) / 2, max };
}

const HEADINGS = ['', 'unit', 'samples', 'min', 'median', 'max'];

/** Names to the left, numbers to the right. */
export function formatTable(summaries: readonly Summary[]): string {
  const rows = [
    HEADINGS,
    ...summaries.map(({ name, unit, count, min, median, max }) => [
      name,
      unit,
      String(count),
      ...[min, median, max].map(formatNumber),
    ]),
  ];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const pad = (cell: string, column: number) =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** Three digits that count. */
const formatNumber = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
