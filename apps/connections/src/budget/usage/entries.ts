import { randomUUID } from 'node:crypto';
import { chargeOf } from '../answers/rules.ts';
import type { FinishedCall } from '../commands.ts';

/** A finished call and when it ended. */
interface Entry {
  call: FinishedCall;
  at: Date;
}

const groupKey = ({ call }: Entry): string =>
  JSON.stringify([
    call.workspaceId,
    call.connectionId,
    call.operation,
    call.feature,
    call.changeSetId,
  ]);

/** What these calls add to the totals of a day. */
export const usageOf = (entries: readonly Entry[], day: string) =>
  [...Map.groupBy(entries, groupKey).values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { workspaceId, connectionId, companyId, operation, feature, changeSetId } = first.call;
    return {
      workspace_id: workspaceId,
      connection_id: connectionId,
      company_id: companyId,
      day,
      operation,
      feature,
      change_set_id: changeSetId ?? '',
      calls: group.length,
      tokens: group.reduce((sum, { call }) => sum + chargeOf(call), 0),
    };
  });

/** A call as a row of the ledger. */
export const callRow = ({ call, at }: Entry) => ({
  workspace_id: call.workspaceId,
  id: callId(at),
  company_id: call.companyId,
  connection_id: call.connectionId,
  operation: call.operation,
  tokens: chargeOf(call),
  status: call.status ?? null,
  outcome: call.outcome,
  lane: call.lane,
  feature: call.feature,
  change_set_id: call.changeSetId ?? null,
  at,
});

/** Sorts by time, so that the ledger's index grows at one end. */
const callId = (at: Date): string =>
  `${at.getTime().toString(16).padStart(12, '0')}${randomUUID().slice(-12)}`;
