-- $1 id, $2 the state it was in, $3 the state it is in now. With the state `copied` come the transactions that are there at that moment.
update partkeeper.drains d
set state = $3,
  older = case when $3 = 'copied' then array(select l.virtualxid from pg_locks l where l.locktype = 'virtualxid' and l.granted) else d.older end
where d.id = $1 and d.state = $2
returning d.id;
