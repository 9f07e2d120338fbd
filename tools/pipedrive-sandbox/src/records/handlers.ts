import type { ApiRequest, Handler, Handlers } from '../http/api-request.ts';
import { invalidKey, notFound } from '../http/problem.ts';
import { data, type Reply } from '../http/reply.ts';
import type { World } from '../world.ts';
import type { RecordEntity } from './entities.ts';
import { listRecords } from './list.ts';
import { findRecordRow } from './store.ts';
import { readView, recordText } from './view.ts';
import { changeRecord, createRecord, deleteRecord } from './write.ts';

/** The nouns of v2, all served alike. */
export const recordHandlers: Handlers = {
  ...handlersOf('person', 'Person', 'Persons'),
  ...handlersOf('organization', 'Organization', 'Organizations'),
  ...handlersOf('deal', 'Deal', 'Deals'),
  'v2 getDeals': (request, world) => listRecords('deal', request, world, [['is_archived', 0]]),
  'v2 getArchivedDeals': (request, world) => {
    return listRecords('deal', request, world, [['is_archived', 1]]);
  },
  ...handlersOf('product', 'Product', 'Products'),
  'v2 addProduct': (request, world) => {
    return { ...added('product', request, world), status: 201 };
  },
  ...handlersOf('activity', 'Activity', 'Activities'),
  ...handlersOf('pipeline', 'Pipeline', 'Pipelines'),
  ...handlersOf('stage', 'Stage', 'Stages'),
};

function handlersOf(entity: RecordEntity, one: string, many: string): Record<string, Handler> {
  return {
    [`v2 get${many}`]: (request, world) => listRecords(entity, request, world),
    [`v2 get${one}`]: (request, world) => served(entity, readId(request), request, world),
    [`v2 add${one}`]: (request, world) => added(entity, request, world),
    [`v2 update${one}`]: (request, world) => {
      const id = readId(request);
      return served(entity, changeRecord(entity, id, request, world), request, world);
    },
    [`v2 delete${one}`]: (request, world) => {
      const id = readId(request);
      deleteRecord(entity, id, request, world);
      return data({ id });
    },
  };
}

function added(entity: RecordEntity, request: ApiRequest, world: World): Reply {
  return served(entity, createRecord(entity, request, world), request, world);
}

function served(entity: RecordEntity, id: number, request: ApiRequest, world: World): Reply {
  const row = findRecordRow(world.db, entity, id);
  if (row === undefined) throw notFound();
  const text = recordText(entity, row, readView(request.query), world);
  return {
    status: 200,
    contentType: 'application/json; charset=utf-8',
    body: `{"success":true,"data":${text}}`,
  };
}

/** The id in the path. */
export function readId({ params }: ApiRequest): number {
  const id = params.id ?? '';
  if (!/^\d{1,15}$/.test(id)) throw invalidKey('id', 'Expected number, received string');
  return Number(id);
}
