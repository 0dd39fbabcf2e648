-- In the transaction of the deed. $1 partition, $2 state, $3 whether that is the end of it. One row, unless the intent is gone.
update partkeeper.retirements
set state = $2,
  detached_at = case when $2 in ('detached', 'kept', 'dropped') then coalesce(detached_at, clock_timestamp()) else detached_at end,
  ended_at = case when $3 then clock_timestamp() end
where partition = $1 and ended_at is null
returning retirement_id;
