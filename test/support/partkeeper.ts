/** partkeeper on a test database, wired by hand: everything real but the sleep between tries, and every event kept. */

import { randomUUID } from 'node:crypto';
import type { DatabaseOptions } from '../../src/domain/database.ts';
import type { Facts } from '../../src/domain/facts.ts';
import { momentsOf } from '../../src/domain/moments.ts';
import type { Action, ActionKind, JobName, Plan } from '../../src/domain/plan.ts';
import type { StatementBudget, TablePolicy, ViewPolicy } from '../../src/domain/policy.ts';
import type { RelationName } from '../../src/domain/relation.ts';
import { type Instant, instantFromEpochMs } from '../../src/domain/time.ts';
import { executeAction } from '../../src/executor/execute.ts';
import { unrecorded } from '../../src/executor/record.ts';
import type { DueSince } from '../../src/jobs/job.ts';
import { planRound } from '../../src/jobs/plan-round.ts';
import { jobOf, jobs, targetsOf } from '../../src/jobs/registry.ts';
import { keepLedger } from '../../src/ledger/ledger.ts';
import { allTargets, observe } from '../../src/observe.ts';
import { type Database, type OnConnectFailed, openDatabase } from '../../src/postgres/database.ts';
import { lockOver } from '../../src/postgres/run-lock.ts';
import type { Event } from '../../src/report/events.ts';
import { type Runner, type RunReport, runJob } from '../../src/run-job.ts';
import { waitUntil } from './client.ts';
import { databaseTest, type TestDatabase } from './database.ts';

export interface PartkeeperOptions {
  /** Nobody else runs anything: spares a connection per run, where there are thousands of them. */
  readonly isAlone?: boolean;
  readonly tables?: readonly TablePolicy[];
  readonly views?: readonly ViewPolicy[];
  /** The moment that plans and runs pretend unless they are given one of their own; default: the clocks count. */
  readonly at?: Instant;
  /** Default: 200 ms for a lock, five tries. */
  readonly budget?: Partial<StatementBudget>;
  /** How far the process's clock is ahead of the database's. */
  readonly clockOffsetMs?: number;
  /** Default: nothing has a schedule. */
  readonly dueSince?: DueSince;
  /** Another role, or the same over other settings; default: the database's own address. */
  readonly url?: string;
  readonly pool?: number;
  /** Default 5 s. */
  readonly connectTimeoutMs?: number;
  /** Between two tries. Default: does not wait. */
  readonly sleep?: Runner['sleep'];
}

export interface RunOptions {
  readonly at?: Instant;
  readonly targets?: readonly RelationName[];
  readonly isAskedFor?: boolean;
  readonly signal?: AbortSignal;
  readonly stopping?: AbortSignal;
}

export interface TestPartkeeper {
  readonly database: Database;
  readonly runner: Runner;
  readonly facts: () => Promise<Facts>;
  /** What the jobs, by default all of them, would do. */
  readonly plan: (jobs?: readonly JobName[], options?: Pick<RunOptions, 'at' | 'isAskedFor'>) => Promise<Plan>;
  readonly run: (job: JobName, options?: RunOptions) => Promise<readonly RunReport[]>;
  /** Runs the jobs, by default all of them, one after the other. */
  readonly apply: (jobs?: readonly JobName[], options?: RunOptions) => Promise<readonly RunReport[]>;
  /** Runs one action as planned, however long ago that was; throws its MaintenanceError. */
  readonly act: (action: Action, signal?: AbortSignal) => ReturnType<typeof executeAction>;
  readonly events: readonly Event[];
  readonly eventsOf: <K extends Event['kind']>(kind: K) => readonly Extract<Event, { kind: K }>[];
  /** Drops the events so far, for runs by the thousand. */
  readonly forget: () => void;
  /** The delays that were asked for between tries. */
  readonly sleeps: readonly number[];
  readonly close: () => Promise<void>;
}

export type OpenPartkeeper = (options?: PartkeeperOptions) => TestPartkeeper;

const doNotWait = async (): Promise<void> => {};

// However slow the machine, no transaction of a test is taken for a long one unless the test says so.
const BUDGET: StatementBudget = {
  lockTimeoutMs: 200,
  statementTimeoutMs: 20_000,
  lockAttempts: 5,
  deferOlderThanMs: 60_000,
  passingMs: 60_000,
  patienceMs: 60_000,
};

export function openPartkeeper({ url }: Pick<TestDatabase, 'url'>, options: PartkeeperOptions = {}): TestPartkeeper {
  const events: Event[] = [];
  const sleeps: number[] = [];
  const budget = { ...BUDGET, ...options.budget };
  const address: DatabaseOptions = {
    connectionString: options.url ?? url,
    host: undefined,
    port: undefined,
    user: undefined,
    database: undefined,
    password: undefined,
    sslMode: undefined,
    pool: options.pool ?? 2,
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
  };
  const onConnectFailed: OnConnectFailed = reason => void events.push({ kind: 'connect-failed', reason });
  const database = openDatabase(address, budget, onConnectFailed);
  const never = new AbortController().signal;
  const policies = { tables: options.tables ?? [], views: options.views ?? [] };
  const runner: Runner = {
    database,
    policies,
    budget,
    clock: () => instantFromEpochMs(Date.now() + (options.clockOffsetMs ?? 0)),
    monotonicMs: () => performance.now(),
    emit: event => void events.push(event),
    dueSince: options.dueSince ?? (() => undefined),
    lock: options.isAlone ? async () => ({ lost: never, release: async () => {} }) : lockOver(address, onConnectFailed),
    ledger: keepLedger(
      database,
      { replica: 'test', version: '0', configHash: 'none' },
      () => randomUUID(),
      event => void events.push(event),
    ),
    newRunId: () => randomUUID(),
    sleep: (ms, signal) => {
      sleeps.push(ms);
      return (options.sleep ?? doNotWait)(ms, signal);
    },
    random: () => 0.5,
  };
  const facts = () => observe(runner, allTargets(policies));
  const run: TestPartkeeper['run'] = (job, given = {}) =>
    runJob(runner, {
      job,
      targets: given.targets ?? targetsOf(jobOf(job), policies),
      origin: { trigger: 'manual' },
      isAskedFor: given.isAskedFor ?? false,
      signal: given.signal ?? never,
      stopping: given.stopping ?? never,
      at: given.at ?? options.at,
    });

  return {
    database,
    runner,
    facts,
    async plan(names, { at = options.at, isAskedFor = false } = {}) {
      const read = await facts();
      const tasks = chosen(names).map(job => ({ job, targets: targetsOf(job, policies) }));
      return planRound(tasks, {
        facts: read,
        policies,
        moments: momentsOf(read.server, at),
        dueSince: runner.dueSince,
        isAskedFor,
      });
    },
    run,
    async apply(names, runOptions) {
      const reports: RunReport[] = [];
      for (const job of chosen(names)) reports.push(...(await run(job.name, runOptions)));
      return reports;
    },
    act: (action, signal = never) =>
      executeAction(action, { ...runner, recorder: unrecorded, signal, onRetry: () => {}, onLockWait: () => {} }),
    events,
    eventsOf: <K extends Event['kind']>(kind: K) =>
      events.filter((event): event is Extract<Event, { kind: K }> => event.kind === kind),
    forget: () => void events.splice(0),
    sleeps,
    close: () => database.close(),
  };
}

const chosen = (names: readonly JobName[] | undefined) => names?.map(jobOf) ?? jobs;

/** The actions of one kind, typed as such. */
export const actionsOf = <K extends ActionKind>({ actions }: Pick<Plan, 'actions'>, kind: K) =>
  actions.filter((action): action is Extract<Action, { kind: K }> => action.kind === kind);

/** `partkeeperTest('…', async ({ database, open }) => { const partkeeper = open({ tables: … }); … })`, closed at the end. */
export const partkeeperTest = databaseTest.extend('open', ({ database }, { onCleanup }) => {
  const opened: TestPartkeeper[] = [];
  onCleanup(async () => {
    await Promise.all(opened.map(partkeeper => partkeeper.close()));
  });
  return (options?: PartkeeperOptions): TestPartkeeper => {
    const partkeeper = openPartkeeper(database, options);
    opened.push(partkeeper);
    return partkeeper;
  };
});

/** Starts a run of a job on tables and, while it has planned and waits to act on the first of them, does `meanwhile`. */
export async function runAndMeanwhile(
  database: TestDatabase,
  partkeeper: TestPartkeeper,
  job: JobName,
  meanwhile: string,
): Promise<readonly RunReport[]> {
  const oid = (await partkeeper.facts()).tables[0]?.oid;
  const holder = await database.connect();
  // The lock that keeps two of us apart; see lockParent in src/executor/evidence.ts.
  await holder.query(`begin; select pg_advisory_xact_lock(hashtextextended('partkeeper/${oid}', 0))`);
  const running = partkeeper.run(job);
  const waiting = `select from pg_stat_activity where wait_event = 'advisory' and datname = current_database()`;
  await waitUntil(async () => (await database.query(waiting)).length === 1, { what: 'the run to wait' });
  await holder.query(meanwhile);
  await holder.query('commit');
  return running;
}
