import { Refusal } from '@manifold/errors';

export const noSource = (id: string): Refusal =>
  new Refusal('not_found', `There is no data source ${id}`, {
    reason: 'record_not_found',
    field: 'input.dataSourceId',
    fix: 'Use an id from the list dataSources of this workspace.',
  });
