import type { Migration } from 'kysely/migration';
import * as messaging from './0001-messaging.ts';
import * as accounts from './0002-accounts.ts';
import * as webhooks from './0003-webhooks.ts';
import * as budget from './0011-budget.ts';
import * as links from './0012-links.ts';
import * as writes from './0013-writes.ts';
import * as connectionId from './0014-connection-id.ts';
import * as fieldChanges from './0021-field-changes.ts';
import * as externalId from './0022-external-id.ts';
import * as fieldCreation from './0023-field-creation.ts';
import * as dataKeys from './0031-data-keys.ts';
import * as grants from './0032-grants.ts';
import * as completing from './0033-completing.ts';
import * as kindsApart from './0034-kinds-apart.ts';
import * as releasing from './0036-releasing.ts';
import * as fieldLeases from './0037-field-leases.ts';
import * as switchedOff from './0038-switched-off.ts';
import * as steps from './0041-steps.ts';
import * as carriedSteps from './0042-carried-steps.ts';
import * as stepRecords from './0043-step-records.ts';
import * as searched from './0044-searched.ts';
import * as actorKeys from './0045-actor-keys.ts';
import * as echoes from './0047-echoes.ts';
import * as changeSets from './0051-change-sets.ts';
import * as changeWords from './0052-change-words.ts';
import * as acting from './0053-acting.ts';
import * as countedFields from './0054-counted-fields.ts';
import * as setKeys from './0055-set-keys.ts';
import * as registry from './0061-registry.ts';
import * as completeness from './0062-completeness.ts';
import * as webhookHealth from './0063-webhook-health.ts';
import * as webhookRemoved from './0064-webhook-removed.ts';
import * as toldFor from './0065-told-for.ts';
import * as registrySight from './0066-registry-sight.ts';
import * as certificateProgress from './0067-certificate-progress.ts';
import * as webhookLeases from './0068-webhook-leases.ts';
import * as sharedWindows from './0071-shared-windows.ts';
import * as stepJob from './0072-step-job.ts';
import * as dailyProbes from './0073-daily-probes.ts';
import * as recordIds from './0075-record-ids.ts';
import * as certificateAsOf from './0076-certificate-as-of.ts';
import * as resending from './0090-messaging.ts';
import * as messagingUpkeep from './0091-messaging-upkeep.ts';

/** In the order they run; a migration that was released is never changed. */
export const migrations: Record<string, Migration> = {
  '0001-messaging': messaging,
  '0002-accounts': accounts,
  '0003-webhooks': webhooks,
  '0011-budget': budget,
  '0012-links': links,
  '0013-writes': writes,
  '0014-connection-id': connectionId,
  '0021-field-changes': fieldChanges,
  '0022-external-id': externalId,
  '0023-field-creation': fieldCreation,
  '0031-data-keys': dataKeys,
  '0032-grants': grants,
  '0033-completing': completing,
  '0034-kinds-apart': kindsApart,
  '0036-releasing': releasing,
  '0037-field-leases': fieldLeases,
  '0038-switched-off': switchedOff,
  '0041-steps': steps,
  '0042-carried-steps': carriedSteps,
  '0043-step-records': stepRecords,
  '0044-searched': searched,
  '0045-actor-keys': actorKeys,
  '0047-echoes': echoes,
  '0051-change-sets': changeSets,
  '0052-change-words': changeWords,
  '0053-acting': acting,
  '0054-counted-fields': countedFields,
  '0055-set-keys': setKeys,
  '0061-registry': registry,
  '0062-completeness': completeness,
  '0063-webhook-health': webhookHealth,
  '0064-webhook-removed': webhookRemoved,
  '0065-told-for': toldFor,
  '0066-registry-sight': registrySight,
  '0067-certificate-progress': certificateProgress,
  '0068-webhook-leases': webhookLeases,
  '0071-shared-windows': sharedWindows,
  '0072-step-job': stepJob,
  '0073-daily-probes': dailyProbes,
  '0075-record-ids': recordIds,
  '0076-certificate-as-of': certificateAsOf,
  '0090-messaging': resending,
  '0091-messaging-upkeep': messagingUpkeep,
};
