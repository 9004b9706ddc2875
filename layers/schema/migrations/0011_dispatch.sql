-- Of all terms of a case that run, the first moment at which one warns, is over and turns red: what the map shows by.
alter table onemap.case_file add warn_at timestamptz, add red_at timestamptz;
update onemap.case_file file set warn_at = first.warn_at, red_at = first.red_at
from (
  select case_id, min(warn_at) as warn_at, min(red_at) as red_at from onemap.case_deadline where met_at is null
  group by case_id
) first
where first.case_id = file.case_id;
create index case_file_warn on onemap.case_file (warn_at) where warn_at is not null;
create index case_file_due on onemap.case_file (due_at) where due_at is not null;
create index case_file_red on onemap.case_file (red_at) where red_at is not null;
create index case_file_spot on onemap.case_file using gist (spot);
create index case_step_at on onemap.case_step (at);

-- Points that serve: centres, posts, teams' homes, hydrants, schools, cameras and terminals as links. Never an officer, and
-- no video: `device_id` is what the video platform of GB/T 28181 knows a device by, `link` leads there.
alter table onemap.run drop constraint run_target_check,
  add constraint run_target_check check (
    target in ('areas', 'risk_areas', 'incidents', 'roads', 'places', 'resources')
  );

create table onemap.resource (
  resource_id bigint generated always as identity primary key,
  code text not null unique,
  name_zh text,
  name_en text,
  device_id text check (device_id ~ '^[0-9]{20}$'),
  link text,
  source text not null
);

-- `unit` is the team that is stationed there, and that cases are dispatched to.
create table onemap.resource_version (
  resource_version_id bigint generated always as identity primary key,
  resource_id bigint not null references onemap.resource,
  valid tstzrange not null check (not isempty(valid)),
  kind text not null,
  unit text,
  geom geometry(Point, 4326) not null,
  run_id bigint not null references onemap.run,
  constraint resource_version_once exclude using gist (resource_id with =, valid with &&)
);
create index resource_version_geom on onemap.resource_version using gist (geom);
create index resource_version_near on onemap.resource_version using gist ((geom::geography), kind);
create index resource_version_unit on onemap.resource_version (unit) where unit is not null;
