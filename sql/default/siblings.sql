-- The ranges of a table's partitions as the text of the catalog, together with one that is to come, in the order of their bounds:
-- that of the server's own constraint on the default partition. $1 oid of the parent, $2 and $3 the bounds of the one to come.
-- Null for a side without an end. A bound that is no range of one column has `is_range` false.
select b.is_range, nullif(b.lower, 'MINVALUE') as lower, nullif(b.upper, 'MAXVALUE') as upper
from (
  select m.parts is not null as is_range, m.parts[1] as lower, m.parts[2] as upper
  from pg_inherits i
  join pg_class c on c.oid = i.inhrelid
  cross join lateral (
    select regexp_match(
      pg_get_expr(c.relpartbound, 0), '^FOR VALUES FROM \(''?(MINVALUE|[^'']+)''?\) TO \(''?(MAXVALUE|[^'']+)''?\)$'
    ) as parts
  ) m
  where i.inhparent = $1 and pg_get_expr(c.relpartbound, 0) <> 'DEFAULT'
  union all
  select true, $2::text, $3::text
) b
order by nullif(b.lower, 'MINVALUE')::timestamptz nulls first;
