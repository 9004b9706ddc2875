-- A case: our own workflow on an incident, or on a report of its own. What its steps made of it stands in the row, so
-- that lists and figures need no history; the steps are only ever added. It holds a place and an event, never a person:
-- whoever reported it is not known here, and personal spans in `report` are masked before they are stored.
create table onemap.case_file (
  case_id bigint generated always as identity primary key,
  workflow text not null,
  incident_id bigint,
  source text not null,
  source_key text not null,
  category text not null references onemap.category,
  severity integer not null check (severity >= 0),
  origin text not null check (origin in ('citizen', 'patrol', 'sensor', 'hotline')),
  reported_at timestamptz not null,
  report text,
  cell bigint not null,
  area_id bigint references onemap.area,
  zones integer not null,
  spot geometry(Point, 4326) not null,
  geom geometry(Point, 4326) not null,
  state text not null,
  is_open boolean not null,
  version integer not null check (version >= 0),
  entered_at timestamptz not null,
  changed_at timestamptz not null,
  unit text,
  bounces integer not null check (bounces >= 0),
  rating smallint check (rating between 1 and 5),
  clock_started_at timestamptz,
  still_since timestamptz,
  paused boolean not null,
  stills tstzmultirange not null,
  due_at timestamptz,
  constraint case_file_key unique (source, source_key),
  constraint case_file_once unique (incident_id),
  constraint case_file_paused check (not paused or still_since is not null)
);
create index case_file_open on onemap.case_file (due_at) where is_open;
create index case_file_area on onemap.case_file (area_id);
create index case_file_geom on onemap.case_file using gist (geom);

create table onemap.case_step (
  case_id bigint not null references onemap.case_file,
  version integer not null check (version > 0),
  move text not null,
  actor text not null,
  at timestamptz not null,
  state text not null,
  reason text,
  unit text,
  rating smallint,
  primary key (case_id, version)
);

-- One run of a stage's term. `due_at` is null while the clock stands still; `met_at` is when the stage was over; `told`
-- is the colour that reminders have gone out for.
create table onemap.case_deadline (
  case_id bigint not null references onemap.case_file,
  stage text not null,
  start_at timestamptz not null,
  due_at timestamptz,
  warn_at timestamptz,
  red_at timestamptz,
  met_at timestamptz,
  told text not null default 'green' check (told in ('green', 'warn', 'overdue', 'red')),
  primary key (case_id, stage, start_at)
);
create index case_deadline_running on onemap.case_deadline (due_at) where met_at is null;
