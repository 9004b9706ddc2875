-- What a live token gives. No role of an audience may read the table of tokens; the server asks here, by digest.
create or replace function onemap.token_of(digest bytea)
returns table (audience text, area_id bigint, expires_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select token.audience, token.area_id, token.expires_at
  from onemap.token
  where token.digest = token_of.digest
    and token.revoked_at is null
    and (token.expires_at is null or token.expires_at > now())
$$;
revoke all on function onemap.token_of(bytea) from public;
grant execute on function onemap.token_of(bytea) to onemap_public;
