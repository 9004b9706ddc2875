-- A campaign (专项行动): a name for measures that belong together for a while.
create table onemap.campaign (
  campaign_id bigint generated always as identity primary key,
  code text not null unique,
  name_zh text not null,
  name_en text not null,
  start_at timestamptz not null,
  end_at timestamptz not null check (end_at > start_at)
);

-- A measure: a task that an office owes at a zone type, an area, a risk area or within a campaign, `target` times in each
-- of its periods. It is owed by an office, never by a person.
create table onemap.measure (
  measure_id bigint generated always as identity primary key,
  key text not null unique,
  name_zh text not null,
  name_en text not null,
  zone_type text references onemap.zone_type,
  area_id bigint references onemap.area,
  risk_area_id bigint references onemap.risk_area,
  campaign_id bigint references onemap.campaign,
  unit text not null,
  every text not null check (every in ('once', 'daily', 'weekly', 'monthly')),
  target integer not null check (target > 0),
  registered_at timestamptz not null,
  closed_at timestamptz,
  constraint measure_bound check (num_nonnulls(zone_type, area_id, risk_area_id, campaign_id) > 0)
);
create index measure_area on onemap.measure (area_id);

-- The periods of a measure, counted from 1.
create table onemap.measure_term (
  measure_id bigint not null references onemap.measure,
  number integer not null check (number > 0),
  start_at timestamptz not null,
  due_at timestamptz not null check (due_at > start_at),
  primary key (measure_id, number)
);

-- What was done, with its time; only added to. How often, never by whom.
create table onemap.measure_evidence (
  measure_id bigint not null,
  key text not null,
  number integer not null,
  at timestamptz not null,
  amount integer not null check (amount > 0),
  primary key (measure_id, key),
  foreign key (measure_id, number) references onemap.measure_term
);

-- Service load: counts that the office which holds the persons has already added up. There is no other column, and no
-- area below the level that the city names. `hidden` counts are not for the room: small ones, and those that would tell
-- small ones by a difference.
create table onemap.service_load (
  service_load_id bigint generated always as identity primary key,
  source text not null,
  source_key text not null,
  area_id bigint not null references onemap.area,
  class text not null,
  since timestamptz not null,
  until timestamptz not null check (until > since),
  due bigint not null check (due >= 0),
  done bigint not null check (done between 0 and due),
  link text,
  hidden boolean not null default true,
  content_hash bytea not null,
  run_id bigint not null,
  constraint service_load_key unique (source, source_key)
);
create index service_load_since on onemap.service_load (since);
