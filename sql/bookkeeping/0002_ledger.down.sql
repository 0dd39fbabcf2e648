-- Forgets everything that was ever done.

set local lock_timeout = '5s';

drop table if exists partkeeper.targets;
drop table if exists partkeeper.pauses;
drop table if exists partkeeper.actions;
drop table if exists partkeeper.runs;
