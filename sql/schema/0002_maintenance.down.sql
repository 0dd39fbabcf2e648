-- Takes the functions away. The partitions they made stay with their table.

set local lock_timeout = '5s';

drop function if exists unified.cleanup_old_partitions();
drop function if exists unified.cleanup_old_partitions(interval, timestamptz);
drop function if exists unified.create_monthly_partition();
drop function if exists unified.create_monthly_partition(timestamptz);
drop function if exists unified.secure_event_metric_partition(regclass);
drop function if exists unified.event_metric_partitions();
