-- The one place that says what is open and overdue; every figure of open and overdue reads it. An incident that has a
-- case is as open as its case; one without is as its source says.
create or replace view onemap.open_item with (security_invoker = true) as
select incident_id, category, area_id, zones, cell, occurred_at, due_at
from onemap.incident
where state is not null and closed_at is null
and not exists (select from onemap.case_file file where file.incident_id = incident.incident_id)
union all
select incident_id, category, area_id, zones, cell, reported_at, due_at
from onemap.case_file where is_open;
grant select on onemap.open_item to onemap_room;
