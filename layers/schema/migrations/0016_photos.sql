-- The photo that came with a report: for whoever handles its case, until some days after that has ended.
create table onemap.case_photo (
  case_id bigint primary key references onemap.case_file,
  taken_at timestamptz not null,
  jpeg bytea not null check (octet_length(jpeg) between 1 and 4000000)
);
alter table onemap.case_photo alter column jpeg set storage external;
create index case_photo_taken on onemap.case_photo (taken_at);
