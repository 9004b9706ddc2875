-- What the hash of a row of the ledger covers. The instant is written as microseconds since 1970: as a text it would
-- depend on the session's time zone.
create or replace function onemap.ledger_hash(
  seq bigint, at timestamptz, kind text, subject text, payload jsonb, previous bytea
) returns bytea
language sql stable parallel safe as $$
  select sha256(previous || convert_to(
    jsonb_build_array(seq, (extract(epoch from at) * 1000000)::bigint, kind, subject, payload)::text, 'UTF8'
  ))
$$;

-- Add rows at the end of the chain, in their order. The lock is held until the commit: the chain has no gaps and no
-- branches, and the order of rows is the order of commits.
create or replace function onemap.write_ledger(at timestamptz, kind text, subjects text[], payloads jsonb[])
returns bigint
language plpgsql as $$
declare
  last bigint;
  link bytea;
begin
  perform pg_advisory_xact_lock(x'6C6564676572'::bigint);  -- "ledger"
  select ledger.seq, ledger.hash into last, link from onemap.ledger order by ledger.seq desc limit 1;
  last := coalesce(last, 0);
  link := coalesce(link, ''::bytea);
  for place in 1 .. coalesce(array_length(subjects, 1), 0) loop
    last := last + 1;
    insert into onemap.ledger (seq, at, kind, subject, payload, previous, hash)
    values (last, at, kind, subjects[place], payloads[place], link,
      onemap.ledger_hash(last, at, kind, subjects[place], payloads[place], link))
    returning hash into link;
  end loop;
  return last;
end
$$;
revoke all on function onemap.write_ledger(timestamptz, text, text[], jsonb[]) from public;

-- Nothing that is written down is changed; whoever gets round this breaks the chain.
create or replace function onemap.refuse_change() returns trigger
language plpgsql as $$
begin
  raise exception '% is only added to', tg_table_name using errcode = 'integrity_constraint_violation';
end
$$;
create or replace trigger only_added_to before update or delete or truncate on onemap.ledger
for each statement execute function onemap.refuse_change();

grant select on onemap.ledger to onemap_exact;
