-- Takes a push in, once for each key, with its job in the same transaction. No role of an audience may write a table or
-- read the queue; a server of those who may push asks here. The queue's own functions name its tables without a schema.
create or replace function onemap.accept_push(
  source text, idempotency_key text, body_sha256 text, row_count integer, rows jsonb, masked jsonb, at timestamptz
) returns table (job_id bigint, same boolean)
language plpgsql security definer set search_path = jobs, pg_temp as $$
#variable_conflict use_column
declare
  kept onemap.push;
begin
  insert into onemap.push (source, idempotency_key, body_sha256, received_at, row_count, rows, masked)
  select $1, $2, $3, $7, $4, $5, $6
  from onemap.source known where known.source = $1 and known.format = 'push'
  on conflict (source, idempotency_key) do nothing
  returning * into kept;
  if found then
    update onemap.push set job_id = (
      procrastinate_defer_jobs_v1(array[
        row('default', 'push', 0, $1, null, jsonb_build_object('push_id', kept.push_id), null)
      ]::procrastinate_job_to_defer_v1[])
    )[1] where push_id = kept.push_id;
  end if;
  return query select push.job_id, push.body_sha256 = $3 from onemap.push
  where push.source = $1 and push.idempotency_key = $2;
end
$$;
revoke all on function onemap.accept_push(text, text, text, integer, jsonb, jsonb, timestamptz) from public;
grant execute on function onemap.accept_push(text, text, text, integer, jsonb, jsonb, timestamptz) to onemap_exact;
grant select on onemap.source to onemap_exact;

-- A job with its times, its progress and, once it has ended, the account of its runs.
create or replace function onemap.job_of(job_id bigint)
returns table (
  id bigint, task text, source text, file text, status text, attempts integer, created_at timestamptz,
  started_at timestamptz, finished_at timestamptz, step text, share real, row_count bigint, message text,
  run_ids bigint[], account jsonb
)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select
    job.id, job.task_name, job.lock, job.args ->> 'file', job.status::text, job.attempts,
    (select min(at) from jobs.procrastinate_events event where event.job_id = job.id and type = 'deferred'),
    (select max(at) from jobs.procrastinate_events event where event.job_id = job.id and type = 'started'),
    (select max(at) from jobs.procrastinate_events event where event.job_id = job.id
      and type in ('succeeded', 'failed', 'cancelled', 'aborted') and job.status not in ('todo', 'doing')),
    report.step, report.share, report.row_count, report.message, report.run_ids,
    (select to_jsonb(total) from (
      select sum(rows_read) as rows_read, sum(inserted) as inserted, sum(updated) as updated,
        sum(unchanged) as unchanged, sum(superseded) as superseded, sum(quarantined) as quarantined,
        sum(deleted) as deleted
      from onemap.run where run.run_id = any (report.run_ids) having count(*) > 0) total)
  from jobs.procrastinate_jobs job
  left join onemap.job_report report on report.job_id = job.id
  where job.id = job_of.job_id
$$;
revoke all on function onemap.job_of(bigint) from public;
grant execute on function onemap.job_of(bigint) to onemap_exact;
