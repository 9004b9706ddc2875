-- The one place that says what is open and overdue; every figure of open and overdue reads it.
create or replace view onemap.open_item with (security_invoker = true) as
select incident_id, category, area_id, zones, cell, occurred_at, due_at
from onemap.incident
where state is not null and closed_at is null;
grant select on onemap.open_item to onemap_room;
