-- The ledger of the supervision office: every registration, move, deadline, reminder and export of the closed loop.
-- Each row's hash covers the row and the hash before it, so no row can be changed, left out or put in unnoticed.
create table onemap.ledger (
  seq bigint primary key check (seq > 0),
  at timestamptz not null,
  kind text not null,
  subject text not null,
  payload jsonb not null,
  previous bytea not null,
  hash bytea not null
);
create index ledger_subject on onemap.ledger (subject, seq);
