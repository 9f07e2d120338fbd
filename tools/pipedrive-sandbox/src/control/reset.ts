import { lastPurgedKey } from '../records/store.ts';
import { removeSetting } from '../store/settings.ts';
import type { World } from '../world.ts';

const RECORDS = ['person', 'organization', 'deal', 'product', 'activity'] as const;
const REST = ['lead', 'note', 'deal_product', 'term', 'change_log', 'delivery'] as const;

/** Records, notes, deliveries and the ledger go; fields, pipelines, webhooks, apps and consents stay. */
export function resetRecords({ db, ledger, limiter }: World): void {
  db.transaction(() => {
    for (const table of [...RECORDS, ...REST]) db.run(`delete from ${table}`);
    for (const entity of RECORDS) removeSetting(db, lastPurgedKey(entity));
    ledger.clear();
    limiter.windows.clear();
  });
}
