-- What is known of the last runs of some jobs on some targets. $1 JSON array of {job, target}. One row for each.
--
-- Each figure is one short look into runs_by_target or runs_by_tick: a year of runs is a long table.
select w.job, w.target, served.tick as last_tick, ended.run as last_run, ended.finished_at as last_attempt,
  ended.outcome as last_outcome, ended.duration_ms as last_duration_ms, success.finished_at as last_success, failures.count as consecutive_failures
from json_to_recordset($1::json) as w (job text, target text)
left join lateral (
  select r.tick from partkeeper.runs r
  where r.job = w.job and r.target = w.target and r.tick is not null
  order by r.tick desc limit 1
) served on true
left join lateral (
  select r.run_id || '.' || r.attempt as run, r.finished_at, r.outcome, extract(epoch from r.finished_at - r.started_at)::float8 * 1000 as duration_ms
  from partkeeper.runs r
  where r.job = w.job and r.target = w.target and r.finished_at is not null and r.outcome <> 'skipped'
  order by r.started_at desc limit 1
) ended on true
left join lateral (
  select r.started_at, r.finished_at from partkeeper.runs r
  where r.job = w.job and r.target = w.target and r.outcome = 'success'
  order by r.started_at desc limit 1
) success on true
cross join lateral (
  select count(*)::int as count from partkeeper.runs r
  where r.job = w.job and r.target = w.target and r.outcome in ('partial', 'failure', 'interrupted')
    and r.started_at > coalesce(success.started_at, '-infinity')
) failures;
