-- What reporters answer to a category's own questions, and cases that turn out to be one: a merged case points to its
-- main case and is otherwise left as it is, so that a split gives it back whole.
alter table onemap.case_file
  add column answers jsonb not null default '{}',
  add column merged_into bigint references onemap.case_file,
  add column merged_at timestamptz,
  add constraint case_file_merged check ((merged_into is null) = (merged_at is null)),
  add constraint case_file_other check (merged_into <> case_id);
create index case_file_main on onemap.case_file (merged_into) where merged_into is not null;
create index case_file_reported on onemap.case_file (reported_at, case_id);
create index case_file_updated on onemap.case_file (greatest(changed_at, merged_at), case_id);
