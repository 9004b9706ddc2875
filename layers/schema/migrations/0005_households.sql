-- How many households an area has, where its source says so: what heat per household is reckoned by.
alter table onemap.area add column households bigint check (households >= 0);
