alter table onemap.run drop constraint run_target_check,
  add constraint run_target_check check (
    target in ('areas', 'risk_areas', 'incidents', 'roads', 'places', 'resources', 'service_load')
  );
