/** What reading the facts costs: a fixed number of statements, and no lock to wait for. */
import { describe, expect } from 'vitest';
import { readFacts } from '../../src/catalog/read-facts.ts';
import { takenNamePattern } from '../../src/domain/naming.ts';
import type { Session } from '../../src/postgres/session.ts';
import { heldLocks } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, aViewPolicy, relation } from '../support/facts.ts';
import { type OpenPartkeeper, partkeeperTest, type TestPartkeeper } from '../support/partkeeper.ts';
import { createTable, months } from '../support/tables.ts';

const test = partkeeperTest.extend('template', 'bookkeeping');

/** The statements that reaching for the facts sends, seen where every one of them passes. */
async function statementsToRead({
  database,
  runner,
}: TestPartkeeper): Promise<{ statements: string[]; tables: number; views: number }> {
  const statements: string[] = [];
  const facts = await database.use(session => {
    const counted: Session = {
      ...session,
      query: (sql, parameters, attempted) => {
        statements.push(sql);
        return session.query(sql, parameters, attempted);
      },
    };
    const { tables, views } = runner.policies;
    return readFacts(
      counted,
      {
        tables: tables.map(({ relation: name, name: template }) => ({
          relation: name,
          namePattern: takenNamePattern(template, name.name),
        })),
        views: views.map(({ relation: name }) => name),
      },
      runner.clock,
    );
  });
  return { statements, tables: facts.tables.length, views: facts.views.length };
}

const numbered = (kind: string, count: number) =>
  Array.from({ length: count }, (_, index) => relation(`public.${kind}_${index + 1}`));

describe('reading the facts', () => {
  test('F51: takes as many statements for fifty tables and views as for one', async ({ database, open }) => {
    await database.query(`
      do $$ begin
        for t in 1..50 loop
          execute format('create table events_%s (at timestamptz) partition by range (at)', t);
          for m in 1..4 loop
            execute format('create table events_%s_2026_%s partition of events_%s for values from (%L) to (%L)',
              t, m, t, make_date(2026, m, 1), make_date(2026, m + 1, 1));
          end loop;
          execute format('create materialized view mv_%s as select * from events_%s', t, t);
        end loop;
      end $$`);
    const openOn = (count: number) =>
      open({
        tables: numbered('events', count).map(name => aTablePolicy({ relation: name })),
        views: numbered('mv', count).map(name => aViewPolicy({ relation: name })),
      });
    const one = await statementsToRead(openOn(1));
    const fifty = await statementsToRead(openOn(50));
    expect(one).toMatchObject({ tables: 1, views: 1 });
    expect(fifty).toMatchObject({ tables: 50, views: 50 });
    expect(one.statements).toHaveLength(10);
    expect(fifty.statements).toEqual(one.statements);
  });

  test('waits for no lock, whatever others have locked', async ({ database, open }) => {
    const partkeeper = await openOver(database, open);
    const holder = await database.connect();
    await holder.query('begin; lock table events in access exclusive mode; lock table other in access exclusive mode');
    // A materialized view cannot be locked by LOCK TABLE; a plain refresh takes ACCESS EXCLUSIVE as well.
    await holder.query('refresh materialized view mv');
    for (const locked of ['events', 'events_2026_01', 'mv', 'other'])
      expect((await heldLocks(holder, locked)).map(({ mode }) => mode)).toContain('AccessExclusiveLock');

    const { tables, views, missing } = await partkeeper.facts();
    expect(missing).toEqual([]);
    expect(tables.map(({ partitions }) => partitions.length)).toEqual([3, 0]);
    expect(views).toHaveLength(1);
    await holder.query('rollback');
  });

  test('takes no lock that others could wait for', async ({ database, open }) => {
    const partkeeper = await openOver(database, open);
    const [row] = await partkeeper.database.use(session =>
      session.transaction(partkeeper.runner.budget, async () => {
        await readFacts(
          session,
          {
            tables: [{ relation: relation('public.events'), namePattern: '^events_' }],
            views: [relation('public.mv')],
          },
          partkeeper.runner.clock,
        );
        return session.query<{ locked: string[] | null }>(
          `select array_agg(l.relation::regclass::text || ' ' || l.mode) as locked
             from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
            where l.pid = pg_backend_pid() and l.relation is not null and n.nspname <> 'pg_catalog'`,
          [],
          'see our own locks',
        );
      }),
    );
    expect(row?.locked?.filter(lock => !lock.startsWith('partkeeper.'))).toEqual([]);
  });
});

async function openOver(database: TestDatabase, open: OpenPartkeeper): Promise<TestPartkeeper> {
  const events = await createTable(database, 'public.events', { partitions: months('events', '2026-01', 3) });
  const other = await createTable(database, 'public.other');
  await database.query(
    'create materialized view mv as select id, at from events; create unique index on mv (id, at); create index on events (at)',
  );
  return open({
    tables: [events, other].map(name => aTablePolicy({ relation: name })),
    views: [aViewPolicy({ relation: relation('public.mv') })],
  });
}
