import { escape, pageOf } from '../http/html-page.ts';
import type { Incoming } from '../http/incoming.ts';
import { html, type Reply } from '../http/reply.ts';
import type { World } from '../world.ts';
import { type Cell, livePage, tableOf } from './live-page.ts';
import { showOverview } from './overview.ts';
import { findShown, listNewest, SHOWN_OBJECTS, type ShownObject, shownAs } from './shown.ts';

/** Paths that programs call; everything else is Pipedrive's web application. */
const PROGRAMS = /^\/(api|v1|oauth|control)(\/|$)|^\/readyz$/;
const LISTED = 50;

/**
 * What a browser sees: an overview, lists of the newest records, and a page for each record, so that links lead
 * somewhere. Undefined for what programs call. Costs nothing and stands in no ledger.
 */
export function showPage({ method, path }: Incoming, world: World): Reply | undefined {
  if (method !== 'GET' || PROGRAMS.test(path)) return undefined;
  if (path === '/favicon.ico') return { status: 204, contentType: 'image/x-icon', body: '' };
  if (path === '/') return showOverview(world);
  const listed = SHOWN_OBJECTS.find((object) => object.path === path);
  if (listed !== undefined) return showList(listed, world);
  const object = SHOWN_OBJECTS.find(({ recordPath }) => path.startsWith(recordPath));
  return (object && showRecord(object, path, world)) ?? missing();
}

function showList(object: ShownObject, world: World): Reply {
  const records = listNewest(world.db, object, LISTED);
  const rows = records.map(({ id, title, updateTime, base }): Cell[] => [
    { href: `${object.recordPath}${id}`, text: title.slice(0, 200) },
    ...object.fields.map((name) => shownAs(base[name]).slice(0, 200)),
    updateTime,
  ]);
  const table = tableOf([object.kind, ...object.fields, 'Updated'], rows, 'None yet.');
  const back = '<p><a href="/">All</a>, the newest first</p>';
  return livePage(`${object.path.slice(1)} of ${world.company.name}`, `${back}${table}`);
}

function showRecord(object: ShownObject, path: string, world: World): Reply | undefined {
  const id = path.slice(object.recordPath.length);
  if (!/^(\d{1,15}|[0-9a-f-]{36})$/.test(id)) return undefined;
  const record = findShown(world.db, object, id);
  if (record === undefined) return undefined;
  const rows = ['id', ...object.fields, 'update_time'].map(
    (name) => `<dt>${escape(name)}</dt><dd>${escape(shownAs(record.base[name]))}</dd>`,
  );
  const kind = `<p>${object.kind} in ${escape(world.company.name)}</p>`;
  return html(200, pageOf(escape(record.title), `${kind}<dl>${rows.join('')}</dl>`));
}

function missing(): Reply {
  return html(404, pageOf('Not found', '<p>There is no such record.</p>'));
}
