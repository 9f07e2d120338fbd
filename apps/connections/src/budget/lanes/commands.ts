import type { WorkspaceId } from '@manifold/contracts';
import type { Tx } from '../../store.ts';
import { type Admission, type BudgetPlan, type Day, dayOf } from '../rules.ts';
import { type ApiDay, listCompanyUsers } from '../store.ts';
import type { Lane } from '../tables.ts';
import { tellUser } from '../telling.ts';
import type { Asking } from '../turns/rules.ts';
import { balanceOf } from '../days/rules.ts';
import { type LaneTurn, turnLanes } from './rules.ts';
import { listLastDays } from './store.ts';

interface Judged {
  companyId: string;
  asking: readonly Asking[];
  /** In the order of the calls. */
  answers: readonly Admission[];
  day: Day;
  plans: ReadonlyMap<WorkspaceId, BudgetPlan>;
  now: Date;
}

/**
 * Tells which lanes of which workspaces stop until another day, and which go on; returns, for those
 * workspaces, the lanes that are stopped now.
 */
export async function turnCompanyLanes(
  tx: Tx,
  days: readonly ApiDay[],
  judged: Judged,
): Promise<Map<WorkspaceId, Lane[]>> {
  const { companyId, asking, answers, day, plans, now } = judged;
  const begun = [...plans.keys()].filter(
    (id) => !days.some(({ workspace_id }) => workspace_id === id),
  );
  const last = await listLastDays(tx, companyId, { workspaceIds: begun, before: dayOf(now) });
  const known = new Map([...last, ...days].map((one) => [one.workspace_id, one]));
  const stops = new Map<WorkspaceId, Lane[]>();
  const told: Told[] = [];
  for (const [workspaceId, { dailyTokens }] of plans) {
    const answered = asking.flatMap((call, index) => {
      const answer = answers[index];
      return call.workspaceId === workspaceId && answer ? [{ lane: call.lane, answer }] : [];
    });
    const latest = known.get(workspaceId);
    const turned = turnLanes(latest?.stopped_lanes ?? [], answered, { day, dailyTokens });
    // a pause ends with its day, whether or not an answer says so
    const goesOn = begun.includes(workspaceId) && latest?.paused_until != null;
    const resumes = goesOn && answered.some(({ answer }) => answer.admitted);
    if (turned.turns.length === 0 && !resumes) continue;
    stops.set(workspaceId, turned.stopped);
    told.push({ workspaceId, turns: turned.turns, resumes });
  }
  if (told.length > 0) await tellTurns(tx, told, judged);
  return stops;
}

interface Told {
  workspaceId: WorkspaceId;
  turns: readonly LaneTurn[];
  /** All lanes, after a pause on an earlier day. */
  resumes: boolean;
}

async function tellTurns(
  tx: Tx,
  told: readonly Told[],
  { companyId, day, plans, now }: Judged,
): Promise<void> {
  const users = await listCompanyUsers(tx, companyId);
  for (const { workspaceId, turns, resumes } of told) {
    const user = users.find(({ workspace_id }) => workspace_id === workspaceId);
    if (user === undefined) continue;
    if (resumes) await tellUser(tx, { user, now }, { change: 'resumed' });
    const { limit, spent } = balanceOf(day, plans.get(workspaceId)?.dailyTokens ?? null);
    for (const turn of turns) {
      const { lane, remaining } = turn;
      await tellUser(
        tx,
        { user, now },
        {
          change: turn.turn,
          lane,
          spentTokens: spent,
          ...(limit === null ? {} : { limitTokens: limit }),
          ...(remaining === null ? {} : { remainingTokens: remaining }),
          ...(turn.turn === 'lane_stopped'
            ? { reason: 'budget_spent' as const, until: turn.until.toISOString() }
            : {}),
        },
      );
    }
  }
}
