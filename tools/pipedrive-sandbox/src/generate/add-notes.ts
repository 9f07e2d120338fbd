import { nextNoteId, saveNote } from '../notes/store.ts';
import { emptyNote } from '../notes/write.ts';
import { insertTerm } from '../search/terms.ts';
import { spacedTime } from '../times.ts';
import type { World } from '../world.ts';
import { type Links, pickFrom } from './make-linked.ts';
import type { Random } from './random.ts';
import { makeTimes } from './values.ts';
import { SENTENCES } from './words.ts';

/** Notes on persons, organizations and deals, as far as there are any. */
export function addNotes(
  world: World,
  count: number,
  { random, links }: { random: Random; links: Links },
): void {
  const first = nextNoteId(world.db);
  world.db.transaction(() => {
    for (let at = 0; at < count; at += 1) {
      const { added, updated } = makeTimes(random);
      const content = `<p>${random.pick(SENTENCES) || 'Called, no answer.'}</p>`;
      const [personId, orgId] = [
        pickFrom(random, links.personRange),
        pickFrom(random, links.orgRange),
      ];
      const note = {
        ...emptyNote(random.pick(links.users), spacedTime(new Date(added))),
        id: first + at,
        content,
        person_id: personId,
        org_id: orgId,
        deal_id: pickFrom(random, links.dealRange),
        update_time: spacedTime(new Date(updated)),
      };
      saveNote(world.db, note);
      const term = { field: 'notes', term: content };
      insertTerm(world, { entity: 'note', id: first + at, term, fromMs: 0 });
    }
  });
}
