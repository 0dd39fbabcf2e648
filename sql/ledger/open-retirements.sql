-- What is open for a target, for people. $1 target.
select r.schema_name as schema, r.relation_name as name, r.state, r.bound, r.drop_after, r.why
from partkeeper.retirements r
where r.ended_at is null and r.target = $1
order by r.intended_at;
