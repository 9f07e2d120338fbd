import { COLUMNS, RECORD_ENTITIES, type RecordEntity, TEXT_COLUMNS } from '../records/entities.ts';

const records = (table: RecordEntity) => `
  create table if not exists ${table} (
    id integer primary key, ${COLUMNS[table].map((name) => `${name} ${TEXT_COLUMNS.has(name) ? 'text' : 'integer'}, `).join('')}
    add_time text not null, update_time text not null, deleted integer not null default 0, base text not null,
    custom text not null, revision integer not null
  );
  create index if not exists ${table}_update on ${table} (update_time, id);
  create index if not exists ${table}_add on ${table} (add_time, id);
  create index if not exists ${table}_deleted on ${table} (update_time) where deleted = 1;
  ${COLUMNS[table].map((name) => `create index if not exists ${table}_${name.replace(/_id$/, '')} on ${table} (${name}, id);`).join('\n  ')}`;

/**
 * `base` is a record's built-in part as JSON in the order it is served, `custom` its custom fields with a null for
 * every unset one, as of the field list's `revision`: most pages are served without parsing either.
 */
export const schema = `
  create table if not exists setting (key text primary key, value text not null) without rowid;
  create table if not exists user (id integer primary key, api_token text not null unique, data text not null);
  create table if not exists app (client_id text primary key, data text not null) without rowid;
  create table if not exists code (
    code text primary key, client_id text not null, user_id integer not null, redirect_uri text not null,
    expires_ms integer not null, used integer not null default 0
  ) without rowid;
  create table if not exists app_grant (
    id integer primary key, client_id text not null, user_id integer not null, refresh_token text not null unique,
    scope text not null, used_ms integer not null, unique (client_id, user_id)
  );
  create table if not exists access_token (
    token text primary key, grant_id integer not null, expires_ms integer not null
  ) without rowid;
  create table if not exists spent_refresh_token (
    token text primary key, grant_id integer not null, spent_ms integer not null
  ) without rowid;
  create table if not exists field (
    position integer primary key, entity text not null, code text not null, data text not null, unique (entity, code)
  );
  ${RECORD_ENTITIES.map(records).join('')}
  create table if not exists lead (
    position integer primary key, id text not null unique, owner_id integer, person_id integer,
    organization_id integer, archived integer not null default 0, deleted integer not null default 0,
    add_time text not null, update_time text not null, base text not null, custom text not null
  );
  create index if not exists lead_update on lead (update_time, position);
  create index if not exists lead_person on lead (person_id);
  create index if not exists lead_organization on lead (organization_id);
  create table if not exists note (
    id integer primary key, user_id integer not null, deal_id integer, person_id integer, org_id integer, lead_id text,
    active integer not null, add_time text not null, update_time text not null, base text not null
  );
  create index if not exists note_update on note (update_time, id);
  create index if not exists note_deal on note (deal_id, id);
  create index if not exists note_person on note (person_id, id);
  create index if not exists note_org on note (org_id, id);
  create index if not exists note_lead on note (lead_id, id);
  create table if not exists deal_product (
    id integer primary key, deal_id integer not null, product_id integer not null, base text not null
  );
  create index if not exists deal_product_deal on deal_product (deal_id, id);
  create table if not exists change_log (
    id integer primary key, entity text not null, record_id integer not null, data text not null
  );
  create index if not exists change_log_record on change_log (entity, record_id, id);
  create table if not exists lead_label (
    position integer primary key, id text not null unique, data text not null
  );
  create table if not exists term (
    entity text not null, record_id not null, field text not null, term text not null, lower text not null,
    from_ms integer not null, until_ms integer
  );
  create index if not exists term_lower on term (lower, entity);
  create index if not exists term_record on term (entity, record_id);
  create table if not exists webhook (
    id integer primary key, owner_id integer not null, client_id text, action text not null, object text not null,
    data text not null
  );
  create table if not exists webhook_health (
    webhook_id integer primary key, failures integer not null, banned_until_ms integer, failing_since_ms integer
  );
  create table if not exists delivery (
    id integer primary key, webhook_id integer not null, event text not null, entity_id text not null,
    state text not null, attempt integer not null, due_ms integer not null, status integer, payload text not null
  );
  create index if not exists delivery_due on delivery (state, due_ms);
  create table if not exists spend (
    day text not null, operation text not null, requests integer not null, tokens integer not null,
    primary key (day, operation)
  ) without rowid;
`;
