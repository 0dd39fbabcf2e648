/**
 * Gives the bundled schema a past: months of events that nobody has looked after, for the demo and for benchmarks.
 *
 * The table is left as an unattended one would be: old months that should be gone, and no month ahead.
 */
import { MaintenanceError } from '../domain/errors.ts';
import { DEFAULT_NAME, partitionName } from '../domain/naming.ts';
import type { RelationName } from '../domain/relation.ts';
import { formatInstant } from '../domain/time.ts';
import { openDatabase } from '../postgres/database.ts';
import { ddl, literal } from '../postgres/ddl.ts';
import type { Session } from '../postgres/session.ts';
import { type MonthPlan, planHistory } from './history-plan.ts';
import { INSERT_SESSIONS, insertEvents } from './history-rows.ts';

export interface HistoryOptions {
  /** Where the history ends. Default: now, on the database's clock. The same moment gives the same rows. */
  readonly now?: Date;
  /** How far back it goes. Default 14. */
  readonly months?: number;
  /** Default 300,000. */
  readonly rows?: number;
  /** One line for people, whenever a part is in place. */
  readonly onProgress?: (text: string) => void;
  /** Gives up; months that are complete by then stay. */
  readonly signal?: AbortSignal;
}

export interface LoadedHistory {
  readonly rows: number;
  readonly partitions: number;
  readonly ms: number;
}

const EVENTS: RelationName = { schema: 'unified', name: 'event_metric_events' };

/** Writing and index building keep one processor busy each. */
const CONNECTIONS = 2;
/** Long, because nobody else is here: one connection waits while the other builds the indexes of a month. */
const BUDGET = {
  lockTimeoutMs: 120_000,
  statementTimeoutMs: 600_000,
  lockAttempts: 1,
  deferOlderThanMs: 600_000,
  passingMs: 600_000,
  patienceMs: 600_000,
};

/**
 * Fills `unified.event_metric_events`, which must be empty, with history up to now, and `public.sessions` with sessions.
 *
 * Afterwards there is one partition for each month up to the current one and none after it: empty partitions that were
 * there before are dropped.
 *
 * @param url of a database with the bundled schema, as the owner of its tables
 */
export async function loadHistory(
  url: string,
  { now, months = 14, rows = 300_000, onProgress = () => {}, signal }: HistoryOptions = {},
): Promise<LoadedHistory> {
  const startedAt = performance.now();
  const database = openDatabase({ ...NOWHERE_ELSE, connectionString: url }, BUDGET);
  const failure = new AbortController();
  const giveUp = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  try {
    const until = await database.use(async session => {
      const end = now ?? (await readNow(session));
      await dropEmptyPartitions(session);
      await session.query(INSERT_SESSIONS, [end.toISOString()], 'load sessions');
      return end;
    }, giveUp);
    const plan = planHistory(until, months, rows);
    // Shared: whoever is free takes the next month.
    const queue = plan.values();
    const loadFromQueue = () =>
      database.use(async session => {
        for (const month of queue) {
          await loadMonth(session, month, until);
          onProgress(`loaded ${month.month}: ${month.rows.toLocaleString('en-US')} rows`);
        }
      }, giveUp);
    await Promise.all(
      Array.from({ length: CONNECTIONS }, () =>
        loadFromQueue().catch((error: unknown) => {
          failure.abort('the other connection failed');
          throw error;
        }),
      ),
    );
    return {
      rows: plan.reduce((sum, month) => sum + month.rows, 0),
      partitions: plan.length,
      ms: Math.round(performance.now() - startedAt),
    };
  } finally {
    await database.close();
  }
}

const NOWHERE_ELSE = {
  host: undefined,
  port: undefined,
  user: undefined,
  database: undefined,
  password: undefined,
  sslMode: undefined,
  pool: CONNECTIONS,
  connectTimeoutMs: 10_000,
};

async function readNow(session: Session): Promise<Date> {
  const [row] = await session.query<{ ms: number }>(
    'select extract(epoch from now())::float8 * 1000 as ms',
    [],
    "read the database's clock",
  );
  return new Date(row?.ms ?? Number.NaN);
}

async function dropEmptyPartitions(session: Session): Promise<void> {
  await session.transaction(BUDGET, async () => {
    await session.execute(ddl`lock table ${EVENTS} in access exclusive mode`, 'lock unified.event_metric_events');
    const rows = await session.query('select from unified.event_metric_events limit 1', [], 'look for events');
    if (rows.length > 0)
      throw new MaintenanceError('USAGE', 'unified.event_metric_events holds rows: history needs an empty table', {
        hint: 'Use a new database.',
      });
    const partitions = await session.query<RelationName>(
      `select n.nspname as schema, c.relname as name
       from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
       where i.inhparent = 'unified.event_metric_events'::regclass`,
      [],
      'list the partitions',
    );
    for (const partition of partitions) await session.execute(ddl`drop table ${partition}`, 'drop an empty partition');
  });
}

/** A table of its own first: rows go in without triggers and indexes, and ATTACH builds each index in one go. */
async function loadMonth(session: Session, { month, from, to, slots }: MonthPlan, until: Date): Promise<void> {
  const table = { schema: EVENTS.schema, name: partitionName(DEFAULT_NAME.month, EVENTS.name, from, 'UTC') };
  const what = `load ${month}`;
  await session.transaction(BUDGET, async () => {
    // Should the machine crash now, one starts anew. And compiling the insert takes longer than running it.
    await session.execute(ddl`set local synchronous_commit = off; set local jit = off`, what);
    await session.execute(ddl`create table ${table} (like ${EVENTS} including all excluding indexes)`, what);
    await session.query(
      insertEvents(table).text,
      [
        slots.map(slot => slot.startMs),
        slots.map(slot => slot.lengthMs),
        slots.map(slot => slot.firstRow),
        slots.map(slot => slot.rows),
        slots.map(slot => slot.isIncident),
        until.toISOString(),
      ],
      what,
    );
    await session.query(
      `select unified.secure_event_metric_partition(format('%I.%I', $1::text, $2::text)::regclass)`,
      [table.schema, table.name],
      what,
    );
    const [lower, upper] = [literal(formatInstant(from)), literal(formatInstant(to))];
    await session.execute(
      ddl`alter table ${EVENTS} attach partition ${table} for values from (${lower}) to (${upper})`,
      what,
    );
  });
}
