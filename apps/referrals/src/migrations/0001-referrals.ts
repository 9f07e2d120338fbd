import { createIdempotency, isolateByWorkspace } from '@manifold/database';
import { createMessaging } from '@manifold/messaging';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createMessaging(db);
  await createIdempotency(db);
  await sql`create table campaign (
    workspace_id text not null, id text not null, name text not null, connection_id text not null,
    mapping_id text, outcome text not null, update_existing boolean not null,
    defaults jsonb not null, form_fields jsonb not null, link_base text not null,
    state text not null, created_at timestamptz not null, updated_at timestamptz not null,
    primary key (workspace_id, id)
  )`.execute(db);
  await sql`create index campaign_created on campaign (workspace_id, created_at, id)`.execute(db);
  await sql`create index campaign_name on campaign (workspace_id, name, id)`.execute(db);
  await sql`create table mapping_copy (
    workspace_id text not null, mapping_id text not null, version int not null,
    connection_id text not null, purpose text not null, hash text not null, source jsonb not null,
    fetched_at timestamptz not null, primary key (workspace_id, mapping_id)
  )`.execute(db);
  await createReferralUser(db);
  for (const table of ['campaign', 'mapping_copy', 'referral_user']) {
    await isolateByWorkspace(db, table);
  }
}

async function createReferralUser(db: Kysely<unknown>): Promise<void> {
  await sql`create table referral_user (
    workspace_id text not null, id text not null, campaign_id text not null,
    email text not null, email_key text not null, first_name text not null, last_name text,
    attributes jsonb not null, code text not null, link text not null, referred_by text,
    referral_count int not null default 0, is_test boolean not null, signup_key text,
    signed_up_at timestamptz not null, delivery_state text not null, delivery_reason text,
    delivery_fix text, delivery_settled_at timestamptz, write_request_id text, mapping_id text,
    mapping_version int, person_pipedrive_id text, person_url text, lead_pipedrive_id text,
    lead_url text, primary key (workspace_id, id),
    foreign key (workspace_id, campaign_id) references campaign (workspace_id, id)
  )`.execute(db);
  // RF-26: one e-mail is one user of a campaign
  await sql`create unique index referral_user_email on referral_user (workspace_id, campaign_id, email_key)`.execute(
    db,
  );
  await sql`create unique index referral_user_code on referral_user (workspace_id, campaign_id, code)`.execute(
    db,
  );
  await sql`create index referral_user_signed_up on referral_user (workspace_id, signed_up_at, id)`.execute(
    db,
  );
  await sql`create index referral_user_of_campaign
    on referral_user (workspace_id, campaign_id, signed_up_at, id)`.execute(db);
  await sql`create index referral_user_by_email on referral_user (workspace_id, email_key, id)`.execute(
    db,
  );
  await sql`create index referral_user_by_state
    on referral_user (workspace_id, delivery_state, signed_up_at, id)`.execute(db);
}
