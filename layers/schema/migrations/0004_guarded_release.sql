-- What the public reads withstands one who solves for what it hides; what was published before did not, so it is taken
-- back and computed anew with the next load. `share` is the percent of the bin's incidents that are shown, at least;
-- told of the layer of all incidents alone.
insert into onemap.stale_day
select distinct ((lower(bin) + interval '15 days') at time zone 'UTC')::date from onemap.released_bin
on conflict do nothing;
delete from onemap.released_bin;
alter table onemap.released_bin add column share smallint check (share between 0 and 100);
