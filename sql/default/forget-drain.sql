-- Nothing is left of it. $1 id.
delete from partkeeper.drains where id = $1;
