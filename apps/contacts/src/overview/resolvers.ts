import { withWorkspace } from '@manifold/database';
import { countLinks } from '../sources/store.ts';
import type { DataSource, Db } from '../store.ts';
import { fillSeries, monthBefore, seriesStart } from './rules.ts';
import { countAdded, listAddedByDay } from './store.ts';

export const createOverviewResolvers = ({ db, now }: { db: Db; now: () => Date }) => ({
  DataSource: {
    overview: (source: DataSource) => {
      const { workspace_id: workspaceId, id: dataSourceId } = source;
      const at = now();
      return withWorkspace(db, workspaceId, async (tx) => {
        const { contacts } = await countLinks(tx, workspaceId, dataSourceId);
        const month = { dataSourceId, since: monthBefore(at) };
        const { added, recently } = await countAdded(tx, workspaceId, month);
        const fortnight = { dataSourceId, since: seriesStart(at) };
        const days = await listAddedByDay(tx, workspaceId, fortnight);
        return { added, total: contacts, last30Days: recently, series: fillSeries(days, at) };
      });
    },
  },
});
