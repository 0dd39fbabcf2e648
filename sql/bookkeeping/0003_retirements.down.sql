-- Forgets which detached tables were partitions; what is still detached then stays for ever.

set local lock_timeout = '5s';

drop table if exists partkeeper.retentions;
drop table if exists partkeeper.identity;
drop table if exists partkeeper.retirements;
