import type { createBystander } from './bystander.ts';
import { personStep } from './write-commands.ts';

const AT_ONCE = 100;

/** A row that gives the person of this id a name. */
export const named = (id: number | string | undefined, name: string) => [
  personStep('unused@example.test', {
    identity: [{ kind: 'pipedrive_id', value: String(id) }],
    fields: { name },
  }),
];

/** Persons in the local Pipedrive, made and read as anybody could. */
export function createPeople(bystander: ReturnType<typeof createBystander>) {
  const makePersons = async (count: number): Promise<number[]> => {
    const ids: number[] = [];
    for (let start = 0; start < count; start += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, count - start) }, (_, index) =>
        bystander.create('person', { name: `Before ${start + index}` }),
      );
      ids.push(...(await Promise.all(some)).map((made) => Number(made.id)));
    }
    return ids;
  };
  const readPersons = async (ids: readonly (number | undefined)[]) => {
    const found = new Map<unknown, Record<string, unknown>>();
    for (let start = 0; start < ids.length; start += AT_ONCE) {
      const page = ids.slice(start, start + AT_ONCE).join(',');
      const answer = await bystander.call('GET', `/api/v2/persons?limit=100&ids=${page}`);
      const { data } = JSON.parse(JSON.stringify(answer));
      for (const person of data) found.set(person.id, person);
    }
    return ids.map((id) => found.get(id));
  };
  const namesOf = async (ids: readonly (number | undefined)[]): Promise<unknown[]> =>
    (await readPersons(ids)).map((person) => person?.['name']);
  return { makePersons, readPersons, namesOf };
}
