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

-- What stands in a row of the ledger for a text that people wrote, which stands beside it and can be forgotten.
create or replace function onemap.text_hash(salt bytea, text text) returns text
language sql immutable parallel safe as $$
  select 'sha256:' || encode(sha256(salt || convert_to(text, 'UTF8')), 'hex')
$$;

-- Add rows at the end of the chain, in their order. The lock is held until the commit: the chain has no gaps and no
-- branches, and the order of rows is the order of commits. A `reason` goes into ledger_text; no path can forget to.
create or replace function onemap.write_ledger(at timestamptz, kind text, subjects text[], payloads jsonb[])
returns bigint
language plpgsql as $$
declare
  last bigint;
  link bytea;
  reason text;
  salt bytea;
begin
  perform pg_advisory_xact_lock(x'6C6564676572'::bigint);  -- "ledger"
  select ledger.seq, ledger.hash into last, link from onemap.ledger order by ledger.seq desc limit 1;
  last := coalesce(last, 0);
  link := coalesce(link, ''::bytea);
  for place in 1 .. coalesce(array_length(subjects, 1), 0) loop
    last := last + 1;
    reason := payloads[place] ->> 'reason';
    if reason is not null then
      salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
      payloads[place] := payloads[place] || jsonb_build_object('reason', onemap.text_hash(salt, reason));
    end if;
    insert into onemap.ledger (seq, at, kind, subject, payload, previous, hash)
    values (last, at, kind, subjects[place], payloads[place], link,
      onemap.ledger_hash(last, at, kind, subjects[place], payloads[place], link))
    returning hash into link;
    if reason is not null then
      insert into onemap.ledger_text (seq, salt, text) values (last, salt, reason);
    end if;
  end loop;
  return last;
end
$$;
revoke all on function onemap.write_ledger(timestamptz, text, text[], jsonb[]) from public;

-- Forget the texts of these rows with their salts, and write down of what they were; how many there were.
create or replace function onemap.forget_texts(seqs bigint[], at timestamptz) returns integer
language plpgsql as $$
declare
  subjects text[];
  payloads jsonb[];
  n integer;
begin
  with gone as (
    delete from onemap.ledger_text where seq = any ($1) returning seq
  ), told as (
    select subject, jsonb_build_object('rows', jsonb_agg(seq order by seq)) as payload, count(*) as n
    from gone join onemap.ledger using (seq) group by subject
  )
  select array_agg(told.subject order by told.subject), array_agg(payload order by told.subject), sum(told.n)
  into subjects, payloads, n from told;
  perform onemap.write_ledger($2, 'forgotten', subjects, payloads);
  return coalesce(n, 0);
end
$$;
revoke all on function onemap.forget_texts(bigint[], timestamptz) from public;

-- Nothing that is written down is changed; whoever gets round this breaks the chain.
create or replace function onemap.refuse_change() returns trigger
language plpgsql as $$
begin
  raise exception '% is only added to', tg_table_name using errcode = 'integrity_constraint_violation';
end
$$;
create or replace trigger only_added_to before update or delete or truncate on onemap.ledger
for each statement execute function onemap.refuse_change();
create or replace trigger never_changed before update or truncate on onemap.ledger_text
for each statement execute function onemap.refuse_change();

-- The chain is the whole city's; of its texts each reads those that belong to what it reads.
grant select on onemap.ledger, onemap.ledger_text to onemap_exact;
alter table onemap.ledger enable row level security;
drop policy if exists whole_city on onemap.ledger;
create policy whole_city on onemap.ledger for select to onemap_exact using (
  (select current_setting('onemap.area_id', true) = '')
);
alter table onemap.ledger_text enable row level security;
drop policy if exists scope on onemap.ledger_text;
create policy scope on onemap.ledger_text for select to onemap_exact using (
  (select current_setting('onemap.area_id', true) = '')
  or exists (select from onemap.case_step step where step.seq = ledger_text.seq)
);
