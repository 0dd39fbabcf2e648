-- Forgets when views were refreshed; the next run refreshes them all.

set local lock_timeout = '5s';

drop table if exists partkeeper.view_refreshes;
