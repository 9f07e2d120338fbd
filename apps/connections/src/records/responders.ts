import {
  CountRecords,
  DescribeConnection,
  ListFields,
  ReadReceipts,
  ReadRecords,
  type WorkspaceId,
  type ConnectionId,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { type Responder, respondTo, respondWithPages } from '@manifold/messaging';
import { requireFound } from '../accounts/rules.ts';
import { findConnection } from '../accounts/store.ts';
import { findCatalogue } from '../fields/store.ts';
import { countRecords, type ReadingDeps, readPage, readReceipts } from './commands.ts';

/** What other services ask about a connection. Answers hold the named fields only and are never kept. */
export function createRecordResponders(deps: ReadingDeps): Responder[] {
  const connectionOf = async (workspaceId: WorkspaceId, id: ConnectionId) =>
    requireFound(await withWorkspace(deps.db, workspaceId, (tx) => findConnection(tx, id)), id);
  return [
    respondWithPages(ReadRecords, (question) => readPage(deps, question)),
    respondTo(ReadReceipts, (question) => readReceipts(deps, question)),
    respondTo(CountRecords, async (question) => {
      await connectionOf(question.workspaceId, question.connectionId);
      return countRecords(deps, question);
    }),
    respondTo(ListFields, async ({ workspaceId, connectionId, object }) => {
      await connectionOf(workspaceId, connectionId);
      const catalogue = await withWorkspace(deps.db, workspaceId, (tx) =>
        findCatalogue(tx, connectionId, object),
      );
      return { revision: catalogue?.revision ?? 0, fields: [...(catalogue?.fields ?? [])] };
    }),
    respondTo(DescribeConnection, async ({ workspaceId, connectionId }) => {
      const connection = await connectionOf(workspaceId, connectionId);
      return {
        connectionId,
        status: connection.status,
        companyId: connection.company_id,
        companyDomain: connection.company_domain,
        companyUrl: connection.api_domain.replace(/\/+$/, ''),
      };
    }),
  ];
}
