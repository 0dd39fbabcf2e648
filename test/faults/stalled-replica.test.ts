/**
 * F28: a process that hangs is no dead one. The queue gives its job to another replica, but the lock of the run lives as long
 * as its connection: nobody runs beside it, and what it did when it wakes up is not done again.
 */
import { expect } from 'vitest';
import { runJob } from '../../src/run-job.ts';
import { cliTest } from '../support/cli.ts';
import { waitUntil } from '../support/client.ts';
import { relation } from '../support/facts.ts';
import { partkeeperTest } from '../support/partkeeper.ts';
import { doubles, overlaps, readRuns } from '../support/run-judge.ts';

const GATE = 7_775;
const VIEW = `
  create function public.pass() returns int language sql volatile as 'select pg_advisory_xact_lock_shared(${GATE}); select 1';
  create materialized view public.held as select public.pass() as n;
  create unique index on public.held (n)`;
// New Year's tick is due when the service starts, and no other one comes.
const POLICY = `database: { lockTimeout: 2min, lockAttempts: 1, statementTimeout: 5min }
log: { format: json }
views:
  public.held: { schedule: '0 0 1 1 *' }
`;

cliTest.extend('template', 'bookkeeping')(
  'F28: a replica that hangs during a run keeps the others from it, and its tick succeeds once',
  async ({ cli, configure, database }) => {
    await configure(POLICY);
    await database.query(VIEW);
    const gate = await database.connect();
    await gate.query('select pg_advisory_lock($1)', [GATE]);
    const replicas = [cli.start(['run']), cli.start(['run'])];
    const held = await waitUntil(
      async () => {
        const [run] = await database.query<{ run_id: string; replica: string }>(
          "select run_id, replica from partkeeper.runs r join partkeeper.actions a using (run_id) where kind = 'refresh-view'",
        );
        return run;
      },
      { deadlineMs: 60_000, what: 'the run at its gate' },
    );
    const hanging = replicas.find(({ pid }) => held.replica.endsWith(`/${pid}`));
    const other = replicas.find(replica => replica !== hanging);
    if (!hanging || !other) throw new Error(`who is ${held.replica}?`);

    hanging.kill('SIGSTOP');
    const isRefused = () =>
      other
        .log()
        .some(({ msg, run, outcome }) => msg === 'run finished' && run === held.run_id && outcome === 'skipped');
    await waitUntil(isRefused, { deadlineMs: 60_000, what: 'the other replica to find the lock taken' }).catch(
      cause => {
        throw new Error(other.output(), { cause });
      },
    );
    await gate.query('select pg_advisory_unlock($1)', [GATE]);
    hanging.kill('SIGCONT');

    const ended = async () => {
      const [job] = await database.query<{ state: string }>(
        "select state::text from partkeeper_queue.job where id = $1 and state >= 'completed'",
        [held.run_id],
      );
      return job?.state;
    };
    expect(await waitUntil(ended, { deadlineMs: 40_000, what: 'the job to end' })).toBe('completed');
    for (const replica of replicas) replica.kill('SIGTERM');
    for (const replica of replicas) expect((await replica.exited()).code).toBe(0);
    const runs = await readRuns(database);
    expect(runs.filter(({ outcome }) => outcome === 'success')).toHaveLength(1);
    expect(doubles(runs)).toEqual([]);
    expect(overlaps(runs)).toEqual([]);
  },
);

partkeeperTest.extend('template', 'bookkeeping')(
  'an attempt at a run that has succeeded already does nothing, and leaves no second record',
  async ({ database, open }) => {
    await database.query(
      'create materialized view public.held as select 1 as n; create unique index on public.held (n)',
    );
    const view = relation('public.held');
    const { runner } = open({
      views: [{ relation: view, populate: true, blocking: false, skipUnchanged: false }],
    });
    const never = new AbortController().signal;
    const attempt = (number: number, runId: string) =>
      runJob(runner, {
        job: 'refresh',
        targets: [view],
        origin: { trigger: 'manual' },
        isAskedFor: true,
        signal: never,
        stopping: never,
        runId,
        attempt: number,
      });
    const first = runner.newRunId();
    expect(await attempt(1, first)).toMatchObject([{ outcome: 'success', done: 1 }]);
    expect(await attempt(2, first)).toMatchObject([{ outcome: 'success', done: 0 }]);
    expect(await attempt(1, runner.newRunId())).toMatchObject([{ outcome: 'success', done: 1 }]);
    const runs = await database.query('select attempt, outcome, done from partkeeper.runs order by started_at');
    expect(runs).toEqual([
      { attempt: 1, outcome: 'success', done: 1 },
      { attempt: 1, outcome: 'success', done: 1 },
    ]);
    expect(await database.query('select from partkeeper.actions')).toHaveLength(2);
  },
);
