-- When a case was last merged into another or split off, or was the main case of one that was: that changes what it says.
-- And when the work was done that a merged case waits for: the clock of its main case stopped, or that one ended.
alter table onemap.case_file add regrouped_at timestamptz, add covered_at timestamptz,
  add constraint case_file_covered check (covered_at is null or merged_into is not null);
update onemap.case_file own set regrouped_at = own.merged_at, covered_at = (
  select case when main.still_since is not null and not main.paused then main.still_since
    when not main.is_open then main.entered_at end
  from onemap.case_file main where main.case_id = own.merged_into
) where own.merged_into is not null;
update onemap.case_file main set regrouped_at = (
  select max(own.merged_at) from onemap.case_file own where own.merged_into = main.case_id
) where exists (select from onemap.case_file own where own.merged_into = main.case_id);
drop index onemap.case_file_updated;
create index case_file_updated on onemap.case_file (greatest(changed_at, regrouped_at), case_id);
