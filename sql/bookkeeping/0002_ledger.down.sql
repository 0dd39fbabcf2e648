-- Forgets everything that was ever done.

set local lock_timeout = '5s';

-- Made beside the queue, not by the migration; without these tables it is of no use.
drop function if exists partkeeper.trigger(text, text, text, text);
drop table if exists partkeeper.targets;
drop table if exists partkeeper.pauses;
drop table if exists partkeeper.actions;
drop table if exists partkeeper.runs;
