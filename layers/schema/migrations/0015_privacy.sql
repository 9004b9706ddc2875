-- The public is told of no single event: its subscriptions end, and what was shown or waits for it is dropped.
update onemap.subscription set ended_at = now(), address = null, secret = null
where audience = 'public' and ended_at is null;
delete from onemap.cap_alert where audience = 'public';
update onemap.delivery set outcome = 'dead'
where outcome is null and subscription_id in (select subscription_id from onemap.subscription where audience = 'public');
alter table onemap.subscription add constraint subscription_of_single_events
  check (audience <> 'public' or ended_at is not null);
alter table onemap.cap_alert drop constraint cap_alert_audience_check,
  add constraint cap_alert_audience_check check (audience = 'room');

-- Texts that people wrote stand beside the chain, which has only their hashes: so they can be forgotten, and the chain
-- still holds. Each is hashed with a salt of its own, that is forgotten with it: a short text is not found by trying.
create table onemap.ledger_text (
  seq bigint primary key,
  salt bytea not null,
  text text not null
);

-- A step tells its reason by the row of the ledger that tells of the step.
alter table onemap.case_step add seq bigint unique;
alter table onemap.case_step disable trigger user;
update onemap.case_step step set seq = row.seq from onemap.ledger row
where row.kind = 'moved' and row.subject = 'case:' || step.case_id and (row.payload ->> 'version')::integer = step.version;
alter table onemap.case_step enable trigger user;
alter table onemap.case_step drop column reason;

-- A chain that has texts is written anew, once, with their hashes in their places; its last row then tells the head that
-- it had before.
alter table onemap.ledger disable trigger user;
do $$
declare
  head onemap.ledger;
  row onemap.ledger;
  salt bytea;
  link bytea := '';
begin
  if not exists (select from onemap.ledger where payload ->> 'reason' is not null) then
    return;
  end if;
  select * into head from onemap.ledger order by seq desc limit 1;
  for row in select * from onemap.ledger order by seq loop
    if row.payload ->> 'reason' is not null then
      salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
      insert into onemap.ledger_text values (row.seq, salt, row.payload ->> 'reason');
      row.payload := row.payload || jsonb_build_object('reason',
        'sha256:' || encode(sha256(salt || convert_to(row.payload ->> 'reason', 'UTF8')), 'hex'));
    end if;
    update onemap.ledger set payload = row.payload, previous = link,
      hash = onemap.ledger_hash(seq, at, kind, subject, row.payload, link)
    where seq = row.seq returning hash into link;
  end loop;
  row := (head.seq + 1, now(), 'written_anew', 'ledger',
    jsonb_build_object('head', head.seq || ':' || encode(head.hash, 'hex')), link, null);
  row.hash := onemap.ledger_hash(row.seq, row.at, row.kind, row.subject, row.payload, link);
  insert into onemap.ledger select row.*;
end
$$;
alter table onemap.ledger enable trigger user;

-- What now needs a grace for evidence, and a seat for closing.
drop function if exists onemap.add_evidence(bigint, text, timestamptz, integer, timestamptz);
drop function if exists onemap.close_measure(bigint, text, timestamptz);
