-- What is known of each job on each target from its last runs. No parameters. One row per job and target.
select
  r.job,
  r.target,
  max(r.tick) as last_tick,
  max(r.finished_at) filter (where r.outcome <> 'skipped') as last_attempt,
  max(r.finished_at) filter (where r.outcome = 'success') as last_success,
  (array_agg(extract(epoch from r.finished_at - r.started_at) * 1000 order by r.finished_at desc)
    filter (where r.finished_at is not null and r.outcome <> 'skipped'))[1]::float8 as last_duration_ms,
  (array_agg(r.outcome order by r.finished_at desc) filter (where r.finished_at is not null and r.outcome <> 'skipped'))[1] as last_outcome,
  count(*) filter (
    where r.outcome in ('partial', 'failure', 'interrupted')
      and r.finished_at > coalesce(s.at, '-infinity')
  )::int as consecutive_failures
from partkeeper.runs r
left join lateral (
  select max(o.finished_at) as at from partkeeper.runs o
  where o.job = r.job and o.target = r.target and o.outcome = 'success'
) s on true
group by r.job, r.target;
