-- The one place that says what is open and overdue; every figure of open and overdue reads it. An incident is as open as
-- its source says, until somebody moves the case that is made of it, merges another one into it, or registers one for it
-- here: from then on it is as open as that. What is merged into another case is not counted beside it.
create or replace view onemap.open_item with (security_invoker = true) as
select incident_id, category, area_id, zones, cell, occurred_at, due_at
from onemap.incident
where state is not null and closed_at is null
and not exists (
  select from onemap.case_file file
  where file.incident_id = incident.incident_id and (
    file.version > 0 or file.merged_into is not null or file.source <> incident.source
    or exists (select from onemap.case_file own where own.merged_into = file.case_id))
)
union all
select incident_id, category, area_id, zones, cell, reported_at, due_at
from onemap.case_file file
where is_open and merged_into is null
and (version > 0 or exists (select from onemap.case_file own where own.merged_into = file.case_id)
  or not exists (select from onemap.incident where (incident.incident_id, incident.source) = (file.incident_id, file.source)));
grant select on onemap.open_item to onemap_room;
