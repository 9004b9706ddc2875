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
