-- A server tells whether its database is at this version's last step; it reads that as the least of the roles.
grant select on onemap.migration to onemap_public;
