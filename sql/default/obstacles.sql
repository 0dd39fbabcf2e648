-- What stands in the way of moving rows out of a default partition, and of which way: moving few of them in one transaction, making
-- the whole of it the partition, or swapping it for a copy. $1 oid of the parent, $2 oid of the default partition.
-- One row per obstacle. Waits for no lock.
with obstacles (because, moving, relabelling, swapping) as (
  select 'it is not a plain table', true, true, true
  from pg_class c where c.oid = $2 and c.relkind <> 'r'
  union all
  select 'a detach of another partition is pending', true, true, true
  from pg_inherits i where i.inhparent = $1 and i.inhdetachpending
  union all
  -- A deleted row would take the rows that refer to it along, or be kept by them; a table that is swapped leaves them behind.
  select 'the foreign key ' || k.conname || ' of ' || k.conrelid::regclass || ' refers to the table', true, true, true
  from pg_constraint k where k.contype = 'f' and k.confrelid in ($1, $2) and k.conparentid = 0
  union all
  -- Rows that are written before the attach would not reach the subscribers.
  select 'it is published by ' || p.pubname, true, true, true
  from pg_publication p
  where p.puballtables
    or exists (select from pg_publication_rel r where r.prpubid = p.oid and r.prrelid in ($1, $2))
    or exists (
      select from pg_publication_namespace s join pg_class c on c.relnamespace = s.pnnspid
      where s.pnpubid = p.oid and c.oid in ($1, $2)
    )
  union all
  select 'the rule ' || r.rulename || ' rewrites what is done to it', true, true, true
  from pg_rewrite r where r.ev_class = $2
  union all
  -- tgtype: 8 is DELETE.
  select 'the trigger ' || t.tgname || ' would take the move for a deletion', true, false, false
  from pg_trigger t where t.tgrelid = $2 and not t.tgisinternal and t.tgenabled <> 'D' and t.tgtype & 8 <> 0
    and t.tgname !~ '^partkeeper_capture_[0-9]+$'
  union all
  select 'the trigger ' || t.tgname || ' is its own and not the parent''s', false, true, true
  from pg_trigger t where t.tgrelid = $2 and not t.tgisinternal and t.tgparentid = 0
    and t.tgname !~ '^partkeeper_capture_[0-9]+$'
  union all
  select 'the policy ' || p.polname || ' is its own', false, true, true
  from pg_policy p where p.polrelid = $2
  union all
  select 'the sequence ' || d.objid::regclass || ' belongs to it', false, true, true
  from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S'
  where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = $2 and d.deptype in ('a', 'i')
  union all
  select pg_describe_object(d.classid, d.objid, d.objsubid) || ' depends on it', false, true, true
  from pg_depend d
  where d.deptype = 'n' and d.classid <> 'pg_constraint'::regclass
    -- Parts of itself depend on its columns.
    and not exists (select from pg_attrdef a where d.classid = 'pg_attrdef'::regclass and a.oid = d.objid and a.adrelid = $2)
    and not exists (select from pg_trigger t where d.classid = 'pg_trigger'::regclass and t.oid = d.objid and t.tgrelid = $2)
    and not exists (select from pg_rewrite r where d.classid = 'pg_rewrite'::regclass and r.oid = d.objid and r.ev_class = $2)
    and not exists (select from pg_policy p where d.classid = 'pg_policy'::regclass and p.oid = d.objid and p.polrelid = $2)
    and (
      (d.refclassid = 'pg_class'::regclass and d.refobjid = $2)
      or (d.refclassid = 'pg_type'::regclass and d.refobjid = (select c.reltype from pg_class c where c.oid = $2))
    )
  union all
  -- ATTACH would check it for every row, under the lock that stops everybody.
  select 'the foreign key ' || k.conname || ' would be checked for every row anew', false, false, true
  from pg_constraint k where k.conrelid = $2 and k.contype = 'f'
)
select distinct * from obstacles order by because;
