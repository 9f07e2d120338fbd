import { isolateByWorkspace } from '@manifold/database';
import { type ColumnType, type Generated, type Kysely, sql } from 'kysely';

type Json = ColumnType<unknown, string, string>;

/** Merge into a service's `Tables` to publish, command and consume. */
export interface MessagingTables {
  /** Events of this service; the source for re-driving, kept 7 days in daily partitions. */
  outbox: {
    id: Generated<string>;
    workspace_id: string;
    event_id: string;
    name: string;
    key: string;
    body: Json;
    created_at: Generated<Date>;
    published_at: Date | null;
  };
  /** Commands for other services; a row goes when the receiver has stored it. */
  command_outbox: {
    id: Generated<string>;
    workspace_id: string;
    subject: string;
    key: string;
    body: Json;
    attempts: Generated<number>;
    not_before: Generated<Date>;
    created_at: Generated<Date>;
  };
  /** Events this service has dealt with. */
  inbox: { event_id: string; workspace_id: string; done_at: Generated<Date> };
  /** Events that failed and wait, and the later events of the same key behind them. */
  inbox_waiting: {
    id: Generated<string>;
    event_id: string;
    workspace_id: string;
    name: string;
    key: string;
    body: Json;
    attempts: number;
    not_before: Date;
    last_error: string;
  };
  /** Messages given up on, with their cause. */
  dead_letter: {
    message_id: string;
    workspace_id: string;
    name: string;
    reason: string;
    cause: string;
    attempts: number;
    body: Json;
    created_at: Generated<Date>;
  };
}

/** For migrations: the tables behind publishing, commands and consuming. */
export async function createMessaging(db: Kysely<unknown>): Promise<void> {
  await sql`create table outbox (
    id bigint generated always as identity,
    workspace_id text not null, event_id text not null, name text not null, key text not null,
    body jsonb not null, created_at timestamptz not null default now(), published_at timestamptz,
    primary key (created_at, id)
  ) partition by range (created_at)`.execute(db);
  await sql`create table outbox_default partition of outbox default`.execute(db);
  await sql`create index outbox_unpublished on outbox (id) where published_at is null`.execute(db);
  await sql`create table command_outbox (
    id bigint generated always as identity primary key,
    workspace_id text not null, subject text not null, key text not null, body jsonb not null,
    attempts int not null default 0, not_before timestamptz not null default now(),
    created_at timestamptz not null default now()
  )`.execute(db);
  await sql`create table inbox (
    event_id text not null, workspace_id text not null, done_at timestamptz not null default now(),
    primary key (workspace_id, event_id)
  )`.execute(db);
  await sql`create index inbox_age on inbox (done_at)`.execute(db);
  await sql`create table inbox_waiting (
    id bigint generated always as identity primary key,
    event_id text not null, workspace_id text not null, name text not null, key text not null,
    body jsonb not null, attempts int not null, not_before timestamptz not null,
    last_error text not null, unique (workspace_id, event_id)
  )`.execute(db);
  await sql`create index inbox_waiting_key on inbox_waiting (workspace_id, key, id)`.execute(db);
  await sql`create table dead_letter (
    message_id text not null, workspace_id text not null, name text not null, reason text not null,
    cause text not null, attempts int not null, body jsonb not null,
    created_at timestamptz not null default now(), primary key (workspace_id, message_id)
  )`.execute(db);
  for (const table of ['outbox', 'command_outbox', 'inbox', 'inbox_waiting', 'dead_letter']) {
    await isolateByWorkspace(db, table);
  }
  await createUpkeep(db);
}

/** The runtime role may not change tables, so partitions come and go through a function of the owner. */
async function createUpkeep(db: Kysely<unknown>): Promise<void> {
  await sql`create function keep_messaging_tidy(keep_days int) returns void
    language plpgsql security definer set search_path = public set lock_timeout = '3s' as $$
    declare day date; part record;
    begin
      -- another replica is at it
      if not pg_try_advisory_xact_lock(728115) then return; end if;
      perform set_config('manifold.workspace', '*', true);
      for offset_days in 0..8 loop
        day := current_date + offset_days;
        if to_regclass(format('outbox_%s', to_char(day, 'YYYYMMDD'))) is null
          and not exists (select from outbox_default where created_at >= day and created_at < day + 1) then
          execute format('create table %I partition of outbox for values from (%L) to (%L)',
            'outbox_' || to_char(day, 'YYYYMMDD'), day, day + 1);
        end if;
      end loop;
      for part in select inhrelid::regclass as name from pg_inherits
        where inhparent = 'outbox'::regclass and inhrelid::regclass::text ~ '^outbox_[0-9]{8}$' loop
        if to_date(right(part.name::text, 8), 'YYYYMMDD') < current_date - keep_days then
          -- an event nobody published is never dropped, however old
          if not exists (select from outbox where tableoid = part.name and published_at is null) then
            begin
              execute format('drop table %s', part.name);
            exception when lock_not_available then
              -- it is being read: waiting would make every writer wait too, so another time
            end;
          end if;
        end if;
      end loop;
      delete from outbox_default where created_at < now() - make_interval(days => keep_days) and published_at is not null;
      -- bounded, or a statement that runs out of time would never make room
      delete from inbox where (workspace_id, event_id) in (select workspace_id, event_id from inbox
        where done_at < now() - make_interval(days => keep_days * 2) limit 200000);
    end $$`.execute(db);
}
