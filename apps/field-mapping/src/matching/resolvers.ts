import { withWorkspace } from '@manifold/database';
import { aboutMapping, type Context } from '../mappings/about.ts';
import type { Deps } from '../mappings/deps.ts';
import { capitals, viewRow, viewSuggestion } from '../mappings/view.ts';
import type { FieldMapping } from '../store.ts';
import { createCandidates, knownTargets } from './candidates/rules.ts';
import { readPastChoices } from './commands.ts';
import { type FieldMatch, matchFields, typesFor } from './fields/rules.ts';
import { suggestTargets } from './scoring/rules.ts';
import { targetKeyOf } from '@manifold/mapping';

interface MatchArguments {
  status?: FieldMatch['status'] | null;
}

export const createMatchingResolvers = ({ db }: Deps) => ({
  FieldMapping: {
    matches: async (mapping: FieldMapping, { status }: MatchArguments, context: Context) => {
      const { purpose, rows } = mapping;
      const about = await aboutMapping(mapping, context);
      const past = await withWorkspace(db, context.workspaceId, (tx) =>
        readPastChoices(tx, context.workspaceId, purpose),
      );
      const { catalogue } = about;
      const known = knownTargets(purpose, { rows, past, catalogue });
      const candidates = createCandidates(known, past);
      const taken = new Set(rows.map(({ target }) => targetKeyOf(target)));
      return matchFields(mapping, about)
        .filter((match) => !status || match.status === status)
        .map((match) => ({
          ...match,
          source: { ...match.source, ...viewEnd(match.source) },
          type: capitals(match.source.type),
          rows: match.rows.map((row) => viewRow(row, about)),
          targetTypes:
            purpose === 'CONTACTS_FROM_PIPEDRIVE' ? typesFor(match.source).map(capitals) : [],
          suggestions: () =>
            match.status === 'GRAY'
              ? suggestTargets(match.source, { candidates, taken }).map((one) =>
                  viewSuggestion(one, catalogue),
                )
              : [],
        }));
    },
  },
});

const viewEnd = ({ object, part }: FieldMatch['source']) => ({
  object: object.toUpperCase(),
  part: capitals(part),
  value: null,
});
