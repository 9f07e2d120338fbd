/** What was measured, once per sample. */
export interface Figure {
  name: string;
  unit: string;
  samples: readonly number[];
  /** What it has to be; the bench fails otherwise. */
  goal?: Goal;
}

/** On ratios within one run alone: other figures are the machine's as much as ours. */
export type Goal =
  | { of: 'median' | 'min'; atLeast: number }
  | { of: 'median' | 'max'; below: number };

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

export interface Verdict {
  met: boolean;
  /** In words, with what was measured. */
  text: string;
}

/** Whether a figure is as it has to be; undefined when nothing is asked of it. */
export function judge(figure: Figure): Verdict | undefined {
  const { name, goal } = figure;
  if (goal === undefined) return undefined;
  const value = summarize(figure)[goal.of];
  const met = 'below' in goal ? value < goal.below : value >= goal.atLeast;
  const asked = 'below' in goal ? `below ${goal.below}` : `at least ${goal.atLeast}`;
  const text = `${met ? 'met' : 'MISSED'}: ${name}: ${goal.of} ${formatNumber(value)}, has to be ${asked}`;
  return { met, text };
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
  value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value.toFixed(value > 0 && value < 0.1 ? 4 : 2);
