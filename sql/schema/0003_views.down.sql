-- Takes the summaries away. A view that somebody built on one of them stops us: never CASCADE.

set local lock_timeout = '5s';

drop function if exists unified.refresh_materialized_views();
drop materialized view if exists unified.mv_performance_metrics;
drop materialized view if exists unified.mv_error_summary;
drop materialized view if exists unified.mv_recent_events;
