-- The columns by which a row of the default partition can be told from every other: of a unique index that it has from its parent,
-- the primary key first. $1 oid of the parent, $2 oid of the default partition. One row per column; none without such an index.
with chosen as (
  select x.indexrelid, x.indrelid, x.indkey
  from pg_index x
  join pg_inherits i on i.inhrelid = x.indexrelid
  join pg_index px on px.indexrelid = i.inhparent and px.indrelid = $1
  where x.indrelid = $2 and x.indisunique and x.indimmediate and x.indisvalid and x.indpred is null and x.indexprs is null
    and not exists (
      select from unnest(x.indkey[0:x.indnkeyatts - 1]) k join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k
      where not a.attnotnull
    )
  order by x.indisprimary desc, x.indexrelid
  limit 1
)
select a.attname as name
from chosen x
join pg_index i on i.indexrelid = x.indexrelid
cross join lateral unnest(x.indkey[0:i.indnkeyatts - 1]) with ordinality as k (attnum, place)
join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum
order by k.place;
