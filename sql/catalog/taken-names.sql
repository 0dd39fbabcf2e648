-- Names that new partitions could want and that something has: relations and types share one namespace.
-- $1 text[] schemas, $2 text[] names of the parents, $3 text[] regular expressions, in triples.
select wanted.schema, wanted.name as parent, t.typname as taken
from unnest($1::text[], $2::text[], $3::text[]) as wanted (schema, name, pattern)
join pg_namespace n on n.nspname = wanted.schema
join pg_type t on t.typnamespace = n.oid and t.typname ~ wanted.pattern
union
select wanted.schema, wanted.name, c.relname
from unnest($1::text[], $2::text[], $3::text[]) as wanted (schema, name, pattern)
join pg_namespace n on n.nspname = wanted.schema
join pg_class c on c.relnamespace = n.oid and c.relname ~ wanted.pattern;
