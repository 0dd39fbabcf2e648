-- Puts a drain on record before anything is made for it. $1 parent, $2 its name, $3 default partition, $4 lower, $5 upper.
-- No row where another one of the same parent is on record.
insert into partkeeper.drains (parent, target, default_partition, lower, upper)
values ($1, $2, $3, $4, $5)
on conflict (parent) do nothing
returning id;
