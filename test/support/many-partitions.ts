/**
 * A table with thousands of partitions, in seconds. ATTACH PARTITION looks at every partition that there is already, so 10,000 of
 * them take ten minutes; here plain tables are made, and the catalog is told what it would have been told.
 */
import type { TestDatabase } from './database.ts';

const HOUR_MS = 3_600_000;
/** Each new table is a lock until the end of its transaction. */
const AT_ONCE = 100;

/**
 * Makes `name (id bigint, at timestamptz)` with partitions of an hour, `name_0` the oldest, the last of which ends at `end`. Each
 * of them has a row.
 */
export async function createHours(
  database: Pick<TestDatabase, 'query'>,
  name: string,
  { count, end }: { readonly count: number; readonly end: Date },
): Promise<void> {
  const from = new Date(end.getTime() - count * HOUR_MS).toISOString();
  const model = `${name}_model`;
  await database.query(`
    create table ${name} (id bigint, at timestamptz) partition by range (at);
    create table ${model} partition of ${name} for values from ('1999-12-31 23:00+00') to ('2000-01-01 00:00+00')`);
  for (let first = 0; first < count; first += AT_ONCE)
    await database.query(
      `do $$ begin
         for i in ${first}..${Math.min(first + AT_ONCE, count) - 1} loop
           execute format('create table %I (id bigint, at timestamptz)', '${name}_' || i);
           execute format('insert into %I values (%s, %L)', '${name}_' || i, i, timestamptz '${from}' + i * interval '1 hour');
         end loop;
       end $$`,
    );
  await database.query(ATTACH_ALL.replaceAll('$name', name).replaceAll('$model', model).replaceAll('$from', from));
  await database.query(`drop table ${model}`);
}

/**
 * What ATTACH PARTITION writes: the bound, whose two moments are 1999-12-31 23:00 and 2000-01-01 in the model, stored as
 * microseconds since the latter, byte for byte; who is whose partition; what goes with whom; and where the columns come from.
 */
const ATTACH_ALL = `
  create cast (text as pg_node_tree) without function;
  create function bytes(at timestamptz) returns text language sql stable as $$
    select '[ ' || string_agg(get_byte(stored, 7 - place)::text, ' ' order by place) || ' ]'
    from generate_series(0, 7) place,
      int8send((extract(epoch from at - timestamptz '2000-01-01 00:00+00') * 1000000)::bigint) stored
  $$;
  create temp table hours as
    select c.oid, timestamptz '$from' + substr(c.relname, length('$name_') + 1)::int * interval '1 hour' as at
    from pg_class c where c.relkind = 'r' and c.relname ~ '^$name_[0-9]+$';
  update pg_class c set relispartition = true, relpartbound = replace(replace(m.relpartbound::text,
      '[ 0 92 108 41 -1 -1 -1 -1 ]', bytes(h.at)), '[ 0 0 0 0 0 0 0 0 ]', bytes(h.at + interval '1 hour'))::pg_node_tree
    from hours h, pg_class m where c.oid = h.oid and m.oid = '$model'::regclass;
  insert into pg_inherits (inhrelid, inhparent, inhseqno, inhdetachpending) select h.oid, '$name'::regclass, 1, false from hours h;
  insert into pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)
    select d.classid, h.oid, 0, d.refclassid, d.refobjid, 0, d.deptype from hours h, pg_depend d
    where d.classid = 'pg_class'::regclass and d.objid = '$model'::regclass and d.refobjid = '$name'::regclass;
  update pg_attribute a set attinhcount = 1, attislocal = false from hours h where a.attrelid = h.oid and a.attnum > 0;
  drop table hours;
  drop function bytes;
  drop cast (text as pg_node_tree);`;
