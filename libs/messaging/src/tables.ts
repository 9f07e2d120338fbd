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
  /** The streams this service publishes to, as it last knew them; belongs to no workspace (`*`). */
  outbox_stream: {
    workspace_id: Generated<string>;
    stream: string;
    /** When the broker says it made the stream; another time is another stream. */
    created: string;
    /** The highest place in the stream at which one of our events was taken. */
    last_seq: string;
    /** How many times the stream was lost or set back; part of the ids of messages sent again. */
    round: number;
    /** Outbox rows after this one, up to the other, are to be sent again; null: none. */
    again_after: string | null;
    again_upto: string | null;
  };
  /** Commands for other services; a row goes when the receiver has stored it. */
  command_outbox: {
    id: Generated<string>;
    workspace_id: string;
    subject: string;
    key: string;
    body: Json;
    attempts: Generated<number>;
    /** Tries its receiver failed on, and since when. */
    failures: Generated<number>;
    failing_since: Generated<Date | null>;
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
    /** Which events it keeps its order with; null in rows from before this was kept. */
    key: string | null;
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

/** For migrations, after `createMessaging`: what sending again after a loss and replaying need. */
export async function extendMessaging(db: Kysely<unknown>): Promise<void> {
  await sql`create table outbox_stream (
    workspace_id text not null default '*' check (workspace_id = '*'), stream text not null,
    created text not null, last_seq bigint not null, round int not null default 0,
    again_after bigint, again_upto bigint, primary key (workspace_id, stream)
  )`.execute(db);
  await isolateByWorkspace(db, 'outbox_stream');
  await sql`create index outbox_in_order on outbox (id)`.execute(db);
  await sql`alter table dead_letter add column key text`.execute(db);
  await sql`create index dead_letter_age on dead_letter (created_at)`.execute(db);
  await createFurtherUpkeep(db);
}

/** Lifetimes beyond those of `keep_messaging_tidy`; each delete is bounded and goes on an hour later. */
async function createFurtherUpkeep(db: Kysely<unknown>): Promise<void> {
  await sql`do $$ begin
    if to_regclass('idempotency') is not null then
      create index idempotency_age on idempotency (created_at);
    end if;
  end $$`.execute(db);
  await sql`create function keep_letters_tidy(letter_days int, idempotency_days int) returns void
    language plpgsql security definer set search_path = public as $$
    begin
      perform set_config('manifold.workspace', '*', true);
      delete from dead_letter where ctid = any (array(select ctid from dead_letter
        where created_at < now() - make_interval(days => letter_days) limit 50000));
      if to_regclass('idempotency') is not null then
        delete from idempotency where ctid = any (array(select ctid from idempotency
          where created_at < now() - make_interval(days => idempotency_days) limit 50000));
      end if;
    end $$`.execute(db);
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
