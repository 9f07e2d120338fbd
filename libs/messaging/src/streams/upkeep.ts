import { type Kysely, sql } from 'kysely';

/** For migrations, after `extendMessaging`: bounded upkeep, a fair order of what waits, commands given up on. */
export async function boundMessaging(db: Kysely<unknown>): Promise<void> {
  await sql`alter table command_outbox add column failures int not null default 0,
    add column failing_since timestamptz`.execute(db);
  await sql`create index inbox_waiting_due on inbox_waiting (workspace_id, not_before)`.execute(db);
  // a replica of the release before may still call it
  await sql`alter function keep_letters_tidy(int, int) set search_path = public, pg_temp`.execute(
    db,
  );
  await createBatches(db);
  await replaceUpkeep(db);
}

/** Each removes one batch and answers how many rows that were: the caller goes on while it is full. */
async function createBatches(db: Kysely<unknown>): Promise<void> {
  const old = [
    { name: 'forget_old_inbox', table: 'inbox', column: 'done_at' },
    { name: 'remove_old_letters', table: 'dead_letter', column: 'created_at' },
    { name: 'remove_old_answers', table: 'idempotency', column: 'created_at' },
  ];
  for (const { name, table, column } of old) {
    const [rows, age] = [sql.id(table), sql.id(column)];
    await sql`create function ${sql.id(name)}(keep_days int, batch int) returns int
      language plpgsql security definer set search_path = public, pg_temp as $$
      declare removed int;
      begin
        if to_regclass(${sql.lit(`public.${table}`)}) is null then return 0; end if;
        perform set_config('manifold.workspace', '*', true);
        delete from ${rows} where ctid = any (array(select ctid from ${rows}
          where ${age} < now() - make_interval(days => keep_days) order by ${age} limit batch));
        get diagnostics removed = row_count;
        return removed;
      end $$`.execute(db);
  }
}

/** As it was, without the inbox, which has batches of its own, and unmoved by temporary tables. */
async function replaceUpkeep(db: Kysely<unknown>): Promise<void> {
  await sql`create or replace function keep_messaging_tidy(keep_days int) returns void
    language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '3s' as $$
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
      delete from outbox_default where ctid = any (array(select ctid from outbox_default
        where created_at < now() - make_interval(days => keep_days) and published_at is not null
        limit 10000));
    end $$`.execute(db);
}
