-- A person may be in a photo: only whoever handles cases sees it, and it goes when it is no longer of use.

-- Keep the photo of a report that nobody has moved yet, for whoever holds what the report's key is made of; false, and
-- nothing is kept, where the last hour brought `most` photos already.
create or replace function onemap.keep_photo(key text, jpeg bytea, at timestamptz, most integer) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if (select count(*) from onemap.case_photo photo where photo.taken_at > at - interval '1 hour') >= most then
    return false;
  end if;
  insert into onemap.case_photo (case_id, taken_at, jpeg)
  select file.case_id, at, keep_photo.jpeg from onemap.case_file file
  where file.source = 'open311' and file.source_key = key and file.version = 0
  on conflict do nothing;
  return found;
end
$$;
revoke all on function onemap.keep_photo(text, bytea, timestamptz, integer) from public;
grant execute on function onemap.keep_photo(text, bytea, timestamptz, integer) to onemap_public;

-- Remove the photo of a case; false where there is none for whoever asks. The ledger says that it went, not what it showed.
create or replace function onemap.remove_photo(case_id bigint, at timestamptz) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
  delete from onemap.case_photo photo using onemap.case_file file
  where photo.case_id = $1 and file.case_id = $1 and onemap.in_scope(file.area_id);
  if not found then
    return false;
  end if;
  perform onemap.write_ledger($2, 'photo_removed', array['case:' || $1], array['{"by": "dispatcher"}'::jsonb]);
  return true;
end
$$;
revoke all on function onemap.remove_photo(bigint, timestamptz) from public;
grant execute on function onemap.remove_photo(bigint, timestamptz) to onemap_exact;

-- Cases with a photo that ended before that moment; a merged one ends with its main case.
create or replace function onemap.outlived_photos(before timestamptz) returns setof bigint
language sql stable as $$
  select photo.case_id from onemap.case_photo photo
  join onemap.case_file own using (case_id)
  join onemap.case_file main on main.case_id = coalesce(own.merged_into, own.case_id)
  where not main.is_open and main.changed_at < before
$$;

-- Remove at most so many of those; how many.
create or replace function onemap.forget_photos(before timestamptz, at timestamptz, most integer) returns integer
language plpgsql as $$
#variable_conflict use_column
declare
  gone text[];
begin
  with old as (
    delete from onemap.case_photo where case_id in (select onemap.outlived_photos($1) order by 1 limit $3)
    returning case_id
  )
  select array_agg('case:' || case_id order by case_id) into gone from old;
  if gone is not null then
    perform onemap.write_ledger($2, 'photo_removed', gone, array_fill('{"by": "age"}'::jsonb, array[cardinality(gone)]));
  end if;
  return coalesce(cardinality(gone), 0);
end
$$;
revoke all on function onemap.forget_photos(timestamptz, timestamptz, integer), onemap.outlived_photos(timestamptz) from public;

grant select on onemap.case_photo to onemap_exact;
alter table onemap.case_photo enable row level security;
drop policy if exists scope on onemap.case_photo;
create policy scope on onemap.case_photo for select to onemap_exact using (
  (select current_setting('onemap.area_id', true) = '')
  or exists (select from onemap.case_file file where file.case_id = case_photo.case_id)
);
