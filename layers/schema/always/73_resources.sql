-- The public has the places of the map; what serves is for those who command it, and devices for those who dispatch.
grant select (resource_id, code, name_zh, name_en, source) on onemap.resource to onemap_room;
grant select on onemap.resource_version to onemap_room;
grant select on onemap.resource to onemap_exact;
