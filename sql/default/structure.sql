-- Everything that must stay as it is while a default partition is copied, as one figure: columns, indexes, constraints, triggers,
-- rules, policies,
-- dependents, publications, rights and storage of the table and its default partition, and the bounds of the other partitions. TRUNCATE, VACUUM FULL and
-- CLUSTER give a table another file. $1 oid of the parent, $2 oid of the default partition.
with lines (line) as (
  select concat_ws(' ', 'column', a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull,
    a.attgenerated, a.attidentity, a.attisdropped, a.attacl)
  from pg_attribute a where a.attrelid in ($1, $2) and a.attnum > 0
  union all
  select concat_ws(' ', 'index', x.indexrelid, x.indisvalid) from pg_index x where x.indrelid in ($1, $2)
  union all
  select concat_ws(' ', 'constraint', k.oid, k.convalidated) from pg_constraint k
  where k.conrelid in ($1, $2) or k.confrelid in ($1, $2)
  union all
  select concat_ws(' ', 'trigger', t.oid, t.tgenabled) from pg_trigger t
  where t.tgrelid in ($1, $2) and t.tgname !~ '^partkeeper_capture_[0-9]+$'
  union all
  select concat_ws(' ', 'table', c.oid, c.relowner, c.relacl, c.reloptions, c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
    c.relfilenode, c.reltoastrelid, c.reltablespace)
  from pg_class c where c.oid in ($1, $2)
  union all
  select concat_ws(' ', 'rule', r.oid) from pg_rewrite r where r.ev_class = $2
  union all
  select concat_ws(' ', 'policy', p.oid) from pg_policy p where p.polrelid = $2
  union all
  select concat_ws(' ', 'dependent', d.classid, d.objid) from pg_depend d
  where d.deptype = 'n' and (
    (d.refclassid = 'pg_class'::regclass and d.refobjid = $2)
    or (d.refclassid = 'pg_type'::regclass and d.refobjid = (select c.reltype from pg_class c where c.oid = $2))
  )
  union all
  select concat_ws(' ', 'publication', p.oid, r.oid, s.oid)
  from pg_publication p
  left join pg_publication_rel r on r.prpubid = p.oid and r.prrelid in ($1, $2)
  left join pg_publication_namespace s on s.pnpubid = p.oid
  where p.puballtables or r.oid is not null or s.oid is not null
  union all
  select concat_ws(' ', 'partition', i.inhrelid, i.inhdetachpending, pg_get_expr(c.relpartbound, 0))
  from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1
)
select md5(string_agg(line, chr(10) order by line)) as structure from lines;
