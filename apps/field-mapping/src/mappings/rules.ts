import {
  type FieldDefinition,
  type MappingDirection,
  type MappingProblem,
  type MappingPurpose,
  type MappingRow,
  type MappingSource,
  type MergePolicy,
  PipedriveObject,
  ReasonCode,
  referralFields,
} from '@manifold/contracts';
import { Refusal, type RefusalDetail } from '@manifold/errors';
import {
  checkRequiredTargets,
  compile,
  excerptCatalogue,
  type RequiredTarget,
  referralRequiredTargets,
} from '@manifold/mapping';
import type { FieldMapping } from '../store.ts';

const directionOf = (purpose: MappingPurpose): MappingDirection =>
  purpose === 'CONTACTS_FROM_PIPEDRIVE' ? 'from_pipedrive' : 'to_pipedrive';

/** A mirror of Pipedrive clears what is cleared there; a CRM is never blanked by a form. */
export const usualPolicy = (purpose: MappingPurpose): MergePolicy => ({
  existing: 'overwrite',
  createMissing: true,
  ignoreEmpty: purpose === 'REFERRALS_TO_PIPEDRIVE',
  protected: [],
  protectFilled: false,
});

export type Working = Pick<FieldMapping, 'purpose' | 'rows' | 'policy'>;

/** A working copy as it would travel. */
export const sourceOf = (
  { purpose, rows, policy }: Working,
  catalogue: readonly FieldDefinition[],
): MappingSource => ({
  direction: directionOf(purpose),
  rows,
  policy,
  catalogue: excerptCatalogue(rows, catalogue),
});

const requiredTargets = (purpose: MappingPurpose): RequiredTarget[] =>
  purpose === 'REFERRALS_TO_PIPEDRIVE' ? referralRequiredTargets('lead') : [];

/** Everything that keeps a working copy from being published, one problem per row or target (RF-18). */
export const findProblems = (
  working: Working,
  catalogue: readonly FieldDefinition[],
): MappingProblem[] => [
  ...compile(sourceOf(working, catalogue)).problems,
  ...checkRequiredTargets(working.rows, requiredTargets(working.purpose)),
  ...checkAnyRow(working),
];

/** A mirror of nothing; mappings of other purposes lack what they need when they are empty. */
const checkAnyRow = ({ purpose, rows }: Working): MappingProblem[] =>
  rows.length > 0 || requiredTargets(purpose).length > 0
    ? []
    : [
        {
          rowId: null,
          code: 'required_target_missing',
          target: 'contact.email',
          cause: 'The mapping has no rows.',
          fix: 'Add at least one row; the query suggestRows proposes them.',
        },
      ];

/** A row as it stands today: green it works, red it does not, gray nobody can tell yet. */
export type RowStatus =
  | { status: 'GREEN'; cause: null }
  | { status: 'GRAY' | 'RED'; cause: string };

/** The status of one row; `problems` without unchecked ones, `known` the objects that were read. */
export function statusOf(
  row: MappingRow,
  { problems, known }: { problems: readonly MappingProblem[]; known: ReadonlySet<string> },
): RowStatus {
  const problem = problems.find(({ rowId }) => rowId === row.id);
  if (problem !== undefined) return { status: 'RED', cause: problem.cause };
  const unread = pipedriveObjectsOf(row).find((object) => !known.has(object));
  if (unread === undefined) return { status: 'GREEN', cause: null };
  return { status: 'GRAY', cause: `The fields of ${unread} have not been read from Pipedrive.` };
}

/** A field that seems unknown only because its object has never been read. */
export function isUnchecked(
  { rowId, code }: MappingProblem,
  rows: readonly MappingRow[],
  known: ReadonlySet<string>,
): boolean {
  const row = rows.find(({ id }) => id === rowId);
  return (
    code === 'unknown_field' &&
    row !== undefined &&
    pipedriveObjectsOf(row).some((object) => !known.has(object))
  );
}

const ours = new Set<string>([
  ...['referral', 'constant', 'calculated'],
  ...['contact', 'account', 'permission'],
]);

const pipedriveObjectsOf = (row: MappingRow): string[] => {
  const end = pipedriveEndOf(row);
  return end === undefined ? [] : [end.object];
};

/** The end of a row that is a field of Pipedrive; a row has at most one. */
export function pipedriveEndOf({
  source,
  target,
}: MappingRow): { object: PipedriveObject; field: string } | undefined {
  for (const end of [source, target]) {
    const object = PipedriveObject.safeParse(end.object).data;
    if (object !== undefined && 'field' in end) return { object, field: end.field };
  }
  return undefined;
}

/** The name people know one end of a row by. */
export function labelOf(
  end: MappingRow['source'] | MappingRow['target'],
  catalogue: readonly FieldDefinition[],
): string {
  if (end.object === 'constant') return 'Fixed value';
  if (end.object === 'calculated') return 'Calculated value';
  const definition = catalogue.find(
    ({ object, code }) => object === end.object && code === end.field,
  );
  if (definition !== undefined) return definition.name;
  const referral = Object.entries(referralFields).find(([code]) => code === end.field)?.[1];
  return end.object === 'referral' && referral !== undefined ? referral.label : words(end.field);
}

/** `first_name` → `First name`. */
const words = (code: string): string => {
  const text = code.replaceAll('_', ' ').trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
};

/** One entry of `extensions.issues`. */
interface Issue {
  field: string;
  message: string;
  code: string;
  fix: string;
}

interface DetailWithIssues extends RefusalDetail {
  issues: Issue[];
}

const MAX_IN_MESSAGE = 5;

/** A refusal that lists every problem at once, each with the input field it is about. */
export function refusalOf(
  problems: readonly MappingProblem[],
  told: { what: string; rows: readonly MappingRow[]; field: string },
): Refusal {
  const issues = problems.map(({ rowId, code, cause, fix }) => {
    const index = told.rows.findIndex(({ id }) => id === rowId);
    const row = told.rows[index];
    const field = row === undefined ? told.field : `${told.field}.${index}.${endAtFault(row)}`;
    return { field, message: cause, code, fix };
  });
  const causes = issues.slice(0, MAX_IN_MESSAGE).map(({ message }) => message);
  const detail: DetailWithIssues = {
    reason: ReasonCode.safeParse(issues[0]?.code).data ?? 'invalid_input',
    ...(issues[0] ? { field: issues[0].field, fix: issues[0].fix } : {}),
    issues,
  };
  return new Refusal('invalid', `${told.what}: ${causes.join(' ')}`, detail);
}

/** One end of a row is a field of Pipedrive, and only that end can be wrong. */
const endAtFault = ({ source }: MappingRow): string =>
  ours.has(source.object) ? 'target.field' : 'source.field';

/** Objects of the catalogue entries at hand. */
export const knownObjects = (catalogues: readonly { object: PipedriveObject }[]): Set<string> =>
  new Set(catalogues.map(({ object }) => object));
