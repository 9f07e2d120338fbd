import type { FieldDefinition } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';

/** A field somebody named, and where in their input. */
export interface NamedField {
  code: string;
  path: string;
}

const MOST_NAMED = 10;
const MOST_CLOSE = 3;

/** Refuses codes no field has. Before a catalogue was read nothing is known, so nothing is refused. */
export function requireKnownFields(
  definitions: readonly FieldDefinition[],
  object: string,
  named: readonly NamedField[],
): void {
  if (definitions.length === 0) return;
  const codes = new Set(definitions.map(({ code }) => code));
  const unknown = named.filter(({ code }) => !codes.has(code));
  const [first] = unknown;
  if (first === undefined) return;
  const listed = [...new Set(unknown.map(({ code }) => code))];
  const rest = listed.length - MOST_NAMED;
  const more = rest > 0 ? ` and ${rest} more` : '';
  throw new Refusal(
    'invalid',
    `There is no field ${listed.slice(0, MOST_NAMED).join(', ')}${more} of ${object} in Pipedrive`,
    { reason: 'unknown_field', field: first.path, fix: adviceFor(first.code, definitions) },
  );
}

function adviceFor(code: string, definitions: readonly FieldDefinition[]): string {
  const close = closeTo(code, definitions).map(nameOf);
  const known = close.length === 0 ? 'a code of `pipedriveFields`' : close.join(' or ');
  return `Use ${known}; for a field made a moment ago call refreshFields first.`;
}

/** Names are not unique, and the name of a built-in field can be its code. */
const nameOf = ({ name, code }: FieldDefinition): string =>
  name === code ? code : `${code} (${name.slice(0, 60)})`;

/** The few fields whose code or name is most like a text; none when nothing is. */
export function closeTo(
  text: string,
  definitions: readonly FieldDefinition[],
): readonly FieldDefinition[] {
  const wanted = plain(text);
  return definitions
    .map((definition) => ({
      definition,
      distance: Math.min(
        distanceOf(wanted, plain(definition.code)),
        distanceOf(wanted, plain(definition.name)),
      ),
    }))
    .filter(({ distance }) => distance <= Math.ceil(wanted.length / 3))
    .toSorted((one, other) => one.distance - other.distance)
    .slice(0, MOST_CLOSE)
    .map(({ definition }) => definition);
}

const LONGEST = 64;
const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
    .slice(0, LONGEST);

/** Letters to put in, take out or change to make one text of the other. */
function distanceOf(one: string, other: string): number {
  if (one === '' || other === '') return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [line, letter] of Array.from(one).entries()) {
    const next = [line + 1];
    for (const [column, facing] of Array.from(other).entries()) {
      const changed = (row[column] ?? 0) + (letter === facing ? 0 : 1);
      next.push(Math.min(changed, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? Number.POSITIVE_INFINITY;
}
