/** Of the oracle: does the ledger say what the catalog shows, no more and no less? */
import type { TestDatabase } from './database.ts';

type Queryable = Pick<TestDatabase, 'query'>;

export interface Partition {
  readonly oid: number;
  readonly name: string;
  readonly target: string;
}

/** Runs and actions that the ledger still takes for going on. */
export async function unfinished(database: Queryable): Promise<readonly string[]> {
  const rows = await database.query<{ problem: string }>(`
    select format('the run of %s on %s has no end', job, target) as problem from partkeeper.runs where finished_at is null
    union all
    select format('%s %s is still intended', kind, relation) from partkeeper.actions where outcome = 'intended'
    union all
    select format('the retirement of %s is still %s', relation_name, state) from partkeeper.retirements
     where ended_at is null and state in ('intended', 'restoring')`);
  return rows.map(({ problem }) => problem);
}

/** What is on record as done and cannot be seen, and has not been undone by anything later on record either. */
const INVISIBLE = `
  with done as (
    select a.*, coalesce(a.relation_oid, to_regclass(a.relation)::oid) as found,
      row_number() over (partition by a.relation order by a.finished_at desc) as latest
      from partkeeper.actions a where a.outcome = 'done'
  )
  select format('%s %s is on record as done, and the catalog shows nothing of it', d.kind, d.relation) as problem
    from done d
    left join pg_inherits i on i.inhrelid = d.found and not i.inhdetachpending
    left join pg_class c on c.oid = d.found
   where d.latest = 1 and case d.kind
      when 'create-partition' then i.inhparent is distinct from to_regclass(d.target)::oid
      when 'restore-partition' then i.inhparent is distinct from to_regclass(d.target)::oid
      when 'drop-partition' then c.oid is not null
      when 'detach-partition' then c.oid is null or i.inhparent is not null
      when 'finalize-detach' then i.inhparent is not null
      when 'refresh-view' then not exists (select from partkeeper.view_refreshes r where r.view = d.relation_oid)
      else false
    end
  union all
  select format('%s %s was done %s times', kind, relation, count(*)) from done
   where kind = 'drop-partition' group by kind, relation, relation_oid having count(*) > 1
  union all
  select format('the retirement of %s is %s, and its table is not', r.relation_name, r.state)
    from partkeeper.retirements r
    left join pg_inherits i on i.inhrelid = r.partition and not i.inhdetachpending
    left join pg_class c on c.oid = r.partition
   where case r.state
      when 'dropped' then c.oid is not null
      when 'detached' then c.oid is null or i.inhparent is not null
      when 'kept' then c.oid is null or i.inhparent is not null
      when 'restored' then i.inhparent is distinct from r.parent
      else false
    end`;

interface Deed {
  readonly kind: string;
  readonly relation: string;
  readonly relation_oid: number | null;
}

/** @param byHand relations that the test itself has made, attached or taken away */
export async function disagreements(
  database: Queryable,
  before: readonly Partition[],
  after: readonly Partition[],
  byHand: readonly string[],
): Promise<readonly string[]> {
  const invisible = await database.query<{ problem: string }>(INVISIBLE);
  const done = await database.query<Deed>(
    "select kind, relation, relation_oid::int from partkeeper.actions where outcome = 'done'",
  );
  const isOurs = ({ name }: Partition): boolean => !byHand.includes(name.replaceAll('"', ''));
  const added = after.filter(({ oid }) => !before.some(known => known.oid === oid)).filter(isOurs);
  const gone = before.filter(({ oid }) => !after.some(known => known.oid === oid)).filter(isOurs);
  return [
    ...invisible.map(({ problem }) => problem),
    ...added
      .filter(
        ({ oid, name }) =>
          !done.some(
            ({ kind, relation, relation_oid }) =>
              (kind === 'create-partition' && sameName(relation, name)) ||
              (kind === 'restore-partition' && relation_oid === oid),
          ),
      )
      .map(({ name }) => `${name} was attached, and nobody has it on record`),
    ...gone
      .filter(({ oid }) => !done.some(({ kind, relation_oid }) => RETIRING.has(kind) && relation_oid === oid))
      .map(({ name }) => `${name} is no partition any more, and nobody has it on record`),
  ];
}

const RETIRING: ReadonlySet<string> = new Set(['drop-partition', 'detach-partition', 'finalize-detach']);

const sameName = (one: string, other: string): boolean => one.replaceAll('"', '') === other.replaceAll('"', '');
