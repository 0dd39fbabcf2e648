-- What is configured: $1 JSON array of {job, target, priority, schedule, timezone}, $2 config hash. What is no longer is forgotten.
-- One row for each: since when it has had this schedule.
with wanted as (
  select * from json_to_recordset($1::json) as w (job text, target text, priority integer, schedule text, timezone text)
), gone as (
  delete from partkeeper.targets t where not exists (select from wanted w where w.job = t.job and w.target = t.target)
)
insert into partkeeper.targets as t (job, target, priority, schedule, timezone, config_hash)
-- In one order, because replicas that start at once would otherwise wait for each other.
select w.job, w.target, w.priority, w.schedule, w.timezone, $2 from wanted w order by w.job, w.target
on conflict (job, target) do update set priority = excluded.priority, schedule = excluded.schedule, timezone = excluded.timezone,
  scheduled_since = case
    when (t.schedule, t.timezone) is distinct from (excluded.schedule, excluded.timezone) then excluded.scheduled_since
    else t.scheduled_since
  end,
  config_hash = excluded.config_hash, seen_at = now()
returning t.job, t.target, t.scheduled_since;
