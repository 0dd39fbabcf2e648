-- Cancels what a session waits for when others have queued up behind it, or when it has waited for long enough. $1 process id of the
-- session, $2 how long one statement may wait, in milliseconds, or null. One row when it did.
--
-- Only waits for relations and for transactions that use them: those are the queues that other people's statements stand in.
-- Sessions that merely wait for an advisory lock are other replicas of ours.
select pg_cancel_backend(a.pid)
from pg_stat_activity a
where a.pid = $1 and a.wait_event_type = 'Lock' and a.wait_event in ('relation', 'virtualxid', 'transactionid')
  and (
    clock_timestamp() - a.query_start > make_interval(secs => $2::float8 / 1000)
    or exists (
      select from pg_stat_activity b
      where b.wait_event_type = 'Lock' and b.wait_event <> 'advisory' and b.pid <> a.pid and a.pid = any (pg_blocking_pids(b.pid))
    )
  );
