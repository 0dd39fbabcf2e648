/**
 * Judges a database after an accident, by the catalog and the ledger alone: it knows nothing of the code that it judges.
 * Its calendar is UTC. Each judgement is a list of what is wrong.
 */
import { MaintenanceError } from '../../src/domain/errors.ts';
import type { TablePolicy } from '../../src/domain/policy.ts';
import { formatRelationName } from '../../src/domain/relation.ts';
import type { Instant } from '../../src/domain/time.ts';
import { waitUntil } from './client.ts';
import type { TestDatabase } from './database.ts';
import { disagreements, type Partition, unfinished } from './oracle-ledger.ts';
import { busySessions, halfBuilt, readRelations, sessionsAndLocks } from './oracle-leftovers.ts';
import type { TestPartkeeper } from './partkeeper.ts';
import { sqlName } from './tables.ts';

export interface Question {
  readonly tables: readonly TablePolicy[];
  /** The moment that everybody pretends. */
  readonly at: Instant;
  /** Which rows count, where others come and go meanwhile. Default: all of them. */
  readonly where?: string;
  /** Relations that the test itself makes, attaches or takes away, as `schema.name`. */
  readonly byHand?: readonly string[];
  /** How long what a dead process left on the server may take to go. Default: as long as tests wait for anything. */
  readonly patienceMs?: number;
}

export interface Oracle {
  /** True at every moment, even while the backend of a dead process is still busy. */
  readonly meanwhile: () => Promise<readonly string[]>;
  /** True after the next run, which it does with this partkeeper; it closes it as well. */
  readonly afterNextRun: (partkeeper: TestPartkeeper) => Promise<readonly string[]>;
}

type Queryable = Pick<TestDatabase, 'query'>;

/** Looks at the database as it is now, before anything happens to it. A grace must not end meanwhile. */
export async function consultOracle(database: Queryable, question: Question): Promise<Oracle> {
  const { tables } = question;
  const partitions = await readPartitions(database, tables);
  const held = await readHeld(database, question);
  const before = {
    rows: await readRows(database, question, held),
    covered: await readCoverage(database, question),
    relations: await readRelations(database),
  };

  const meanwhile = async (): Promise<readonly string[]> => [
    ...lostRows(before.rows, await readRows(database, question, held)),
    ...(await newGaps(database, question, before.covered)),
  ];

  return {
    meanwhile,
    async afterNextRun(partkeeper) {
      let reports = await partkeeper.apply();
      if (reports.some(({ outcome, deferred }) => outcome !== 'success' || deferred > 0)) {
        // The server may have been busy still for a client that is gone: then it is the run after that.
        await lasting(() => busySessions(database), question.patienceMs);
        reports = await partkeeper.apply();
      }
      const failures = reports
        .filter(({ outcome }) => outcome !== 'success')
        .map(({ run, outcome, error }) => `the next ${run.job} of ${run.target.name}: ${outcome}, ${explain(error)}`);
      const { actions } = await partkeeper.plan();
      await partkeeper.close();
      const after = await readPartitions(database, tables);
      return [
        ...failures,
        ...actions.map(({ kind, relation }) => `still to be done: ${kind} ${formatRelationName(relation)}`),
        ...(await meanwhile()),
        ...(await uncovered(database, question)),
        ...(await unfinished(database)),
        ...(await disagreements(database, partitions, after, question.byHand ?? [])),
        ...(await halfBuilt(database, before.relations, question.byHand ?? [])),
        ...(await lasting(() => sessionsAndLocks(database), question.patienceMs)),
      ];
    },
  };
}

const explain = (error: MaintenanceError | undefined): string =>
  error instanceof MaintenanceError ? `${error.code}: ${error.message}` : 'no error';

/** A backend learns a moment later that its client is gone: what is wrong for a moment only is not wrong. */
async function lasting(look: () => Promise<readonly string[]>, deadlineMs?: number): Promise<readonly string[]> {
  let found: readonly string[] = [];
  await waitUntil(
    async () => {
      found = await look();
      return found.length === 0;
    },
    { what: 'nothing to be left', ...(deadlineMs !== undefined && { deadlineMs }) },
  ).catch(() => undefined);
  return found;
}

const nowOf = ({ at }: Question): string => at.toString();

/** Every row inside the policy, as one figure that does not depend on their order nor on where they are stored. */
async function readRows(
  database: Queryable,
  question: Question,
  held: ReadonlyMap<string, readonly number[]>,
): Promise<ReadonlyMap<string, string>> {
  const sums = new Map<string, string>();
  for (const { relation, retire, grace, retention } of question.tables) {
    const name = sqlName(relation);
    const isKept = retire !== 'drop' || grace !== undefined || retention === 'forever';
    const cutoff = isKept ? "'-infinity'" : `timestamptz '${nowOf(question)}' - interval '${lengthOf(retention)}'`;
    // Of a table that keeps its retired partitions, these count as well, wherever they are by now.
    const target = formatRelationName(relation);
    const kept = isKept ? await readKept(database, held.get(target) ?? []) : [];
    const all = [name, ...kept].map(
      from => `select t::text as line, t.at from ${from} as t where ${question.where ?? 'true'}`,
    );
    const [row] = await database.query<{ sum: string }>(
      `select count(*) || ' rows, ' || coalesce(sum(hashtextextended(line, 0)), 0) as sum
         from (${all.join(' union all ')}) as rows where at >= ${cutoff}`,
    );
    sums.set(target, row?.sum ?? '');
  }
  return sums;
}

const lengthOf = (retention: TablePolicy['retention']): string =>
  retention === 'forever' ? '' : `${retention.amount} ${retention.unit}`;

/** Of the partitions that there were, those whose rows are not to be seen through the table any more. */
async function readKept(database: Queryable, known: readonly number[]): Promise<readonly string[]> {
  const rows = await database.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c where c.oid = any ($1::oid[])
        and not exists (select from pg_inherits i where i.inhrelid = c.oid and not i.inhdetachpending)`,
    [known],
  );
  return rows.map(({ name }) => name);
}

/** Partitions, and tables that were partitions and are to stay for now or for ever. */
async function readHeld(
  database: Queryable,
  { tables, at }: Question,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const held = new Map<string, readonly number[]>();
  for (const { relation } of tables) {
    const rows = await database.query<{ oid: number }>(
      `select i.inhrelid::int as oid from pg_inherits i where i.inhparent = $1::regclass
       union
       select r.partition::int from partkeeper.retirements r where r.target = $2 and r.ended_at is null
          and (r.state <> 'detached' or r.drop_after > $3)`,
      [sqlName(relation), formatRelationName(relation), at.toString()],
    );
    held.set(
      formatRelationName(relation),
      rows.map(({ oid }) => oid),
    );
  }
  return held;
}

const lostRows = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly string[] =>
  [...before]
    .filter(([table, sum]) => after.get(table) !== sum)
    .map(([table, sum]) => `${table} had ${sum} inside the policy, and has ${after.get(table)}`);

/** What the attached partitions cover from the cutoff on, as the text of a multirange. */
const COVERED = `
  select coalesce(range_agg(tstzrange(bound[1]::timestamptz, bound[2]::timestamptz)), '{}') as covered
    from pg_inherits i join pg_class c on c.oid = i.inhrelid,
         regexp_match(pg_get_expr(c.relpartbound, 0), $$FROM \\('([^']+)'\\) TO \\('([^']+)'\\)$$) as bound
   where i.inhparent = $1::regclass and not i.inhdetachpending and bound is not null`;

async function readCoverage(database: Queryable, { tables }: Question): Promise<ReadonlyMap<string, string>> {
  const covered = new Map<string, string>();
  for (const { relation } of tables) {
    const [row] = await database.query<{ covered: string }>(`select covered::text from (${COVERED}) as now`, [
      sqlName(relation),
    ]);
    covered.set(formatRelationName(relation), row?.covered ?? '{}');
  }
  return covered;
}

/** Ranges inside retention that rows would have found a partition in, and would not any more. */
async function newGaps(
  database: Queryable,
  question: Question,
  before: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { relation, retention } of question.tables) {
    const name = formatRelationName(relation);
    const cutoff = retention === 'forever' ? "'-infinity'" : `$3::timestamptz - interval '${lengthOf(retention)}'`;
    const [row] = await database.query<{ gaps: string }>(
      `select ($2::tstzmultirange * tstzmultirange(tstzrange(${cutoff}, null)) - covered)::text as gaps
         from (${COVERED}) as now, (select $3::timestamptz) as moment`,
      [sqlName(relation), before.get(name), nowOf(question)],
    );
    if (row?.gaps !== '{}') problems.push(`${name} has lost its partitions for ${row?.gaps}`);
  }
  return problems;
}

/** From the present window to the last one that is to be made ahead, there is a partition for every moment. */
async function uncovered(database: Queryable, question: Question): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { relation, interval, premake } of question.tables) {
    const step = interval === 'quarter' ? '3 months' : `1 ${interval}`;
    const [row] = await database.query<{ gaps: string }>(
      `select (tstzmultirange(tstzrange(start, start + ${premake + 1} * interval '${step}')) - covered)::text as gaps
         from (${COVERED}) as now, date_trunc('${interval}', $2::timestamptz, 'UTC') as start`,
      [sqlName(relation), nowOf(question)],
    );
    if (row?.gaps !== '{}') problems.push(`${formatRelationName(relation)} has no partitions for ${row?.gaps}`);
  }
  return problems;
}

async function readPartitions(database: Queryable, tables: readonly TablePolicy[]): Promise<readonly Partition[]> {
  const partitions: Partition[] = [];
  for (const { relation } of tables)
    partitions.push(
      ...(await database.query<Partition>(
        `select c.oid::int, format('%I.%I', n.nspname, c.relname) as name, $2::text as target
           from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
          where i.inhparent = $1::regclass and not i.inhdetachpending`,
        [sqlName(relation), formatRelationName(relation)],
      )),
    );
  return partitions;
}
