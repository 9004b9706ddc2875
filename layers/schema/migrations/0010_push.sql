-- To whom news of the loop is sent: an office's address, never a person's. What its audience may not know is taken out
-- before it is written down here. Of a subscription that has ended neither address nor secret is kept.
create table onemap.subscription (
  subscription_id bigint generated always as identity primary key,
  kind text not null check (kind in ('webhook', 'mail', 'cap')),
  address text,
  secret text,
  audience text not null,
  area_id bigint references onemap.area,
  categories text[] not null,
  zone_types text[] not null,
  topics text[] not null check (cardinality(topics) > 0),
  language text not null check (language in ('zh', 'en')),
  quiet_from time,
  quiet_to time,
  red_passes boolean not null,
  digest_min integer not null check (digest_min between 0 and 1440),
  note text not null,
  created_at timestamptz not null,
  ended_at timestamptz,
  constraint subscription_quiet check ((quiet_from is null) = (quiet_to is null))
);

-- One piece of news for one subscription, once: `key` names the news. It waits until `next_at`, and has ended as sent or
-- dead.
create table onemap.delivery (
  delivery_id bigint generated always as identity primary key,
  subscription_id bigint not null references onemap.subscription,
  key text not null,
  at timestamptz not null,
  urgent boolean not null,
  content jsonb not null,
  area_ids bigint[] not null,
  attempts integer not null default 0,
  next_at timestamptz not null,
  outcome text check (outcome in ('sent', 'dead')),
  constraint delivery_once unique (subscription_id, key)
);
create index delivery_waiting on onemap.delivery (next_at) where outcome is null;

-- Every attempt, only added to.
create table onemap.delivery_log (
  delivery_log_id bigint generated always as identity primary key,
  at timestamptz not null,
  subscription_id bigint not null,
  delivery_id bigint not null,
  attempt integer not null,
  outcome text not null check (outcome in ('sent', 'failed', 'dead')),
  detail text not null
);
create index delivery_log_of on onemap.delivery_log (subscription_id, delivery_log_id);

-- How far the outbox has been spread over subscriptions.
create table onemap.delivery_cursor (
  single boolean primary key default true check (single),
  seq bigint not null
);

-- What feeds of the Common Alerting Protocol show; of the audience and the areas that it was made for.
create table onemap.cap_alert (
  delivery_id bigint primary key references onemap.delivery,
  audience text not null check (audience in ('public', 'room')),
  area_ids bigint[] not null,
  sent_at timestamptz not null,
  expires_at timestamptz not null,
  content jsonb not null
);
create index cap_alert_sent on onemap.cap_alert (sent_at);
