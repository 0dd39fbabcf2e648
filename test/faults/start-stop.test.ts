/**
 * Replicas that come and go.
 */
import { expect } from 'vitest';
import { type CliProcess, cliTest, type LogLine } from '../support/cli.ts';
import { waitUntil } from '../support/client.ts';
import type { TestDatabase } from '../support/database.ts';
import { doubles, falselyInterrupted, overlaps, readRuns } from '../support/run-judge.ts';
import { shortOrLong } from '../support/stress.ts';

const DAEMONS = shortOrLong(6, 10);
const ROUNDS = shortOrLong(2, 20);
const ROUND_MS = 30_000;

/** What a daemon has written when it is told to stop: some are stopped before they have done anything. */
const STAGES = [
  '"msg":"listening"',
  'Ready: the database answers',
  '"msg":"run finished"',
  'Ready: the database answers',
];

const VIEWS = `
  create schema app;
  create materialized view app.first as select 1 as n, now() as at;
  create materialized view app.second as select 2 as n, now() as at;
  create unique index on app.first (n);
  create unique index on app.second (n)`;
const POLICY = `views:
  app.first: { schedule: '* * * * * *', skipUnchanged: false }
  app.second: { schedule: '* * * * * *', skipUnchanged: false }
`;

interface Leftovers {
  readonly connections: string[] | null;
  readonly locks: number;
  readonly unfinished: number;
}

async function leftovers(database: TestDatabase): Promise<Leftovers> {
  const [row] = await database.query<{ [K in keyof Leftovers]: Leftovers[K] }>(`
    select (select array_agg(application_name) from pg_stat_activity
            where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()) as connections,
           (select count(*)::int from pg_locks
            where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())) as locks,
           (select count(*)::int from partkeeper.runs where finished_at is null) as unfinished`);
  return row ?? { connections: ['unknown'], locks: -1, unfinished: -1 };
}

/** A job that is left active has no worker; two of one key would run twice. */
const strayJobs = (database: TestDatabase) =>
  database.query(`
    select singleton_key, array_agg(state::text) as states from partkeeper_queue.job
    where state < 'completed' group by 1 having count(*) > 1 or bool_or(state = 'active')`);

/** Ticks do pass between two rounds. */
const isComplaint = ({ level, msg }: LogLine): boolean =>
  ['warn', 'error', 'fatal'].includes(level) && msg !== 'ticks missed' && msg !== 'superuser';

const complaints = ({ log }: CliProcess): readonly string[] =>
  log()
    .filter(isComplaint)
    .map(({ msg, text }) => `${msg}: ${text}`);

cliTest(
  `${DAEMONS} daemons that start at once and are stopped in the middle of things, ${ROUNDS} times: no errors or warnings, and nothing is left behind`,
  { timeout: 20_000 + ROUNDS * ROUND_MS },
  async ({ cli, configure, database }) => {
    await configure(POLICY);
    await database.query(VIEWS);
    const began = performance.now();
    const stopsMs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      // In the first round all of them find an empty database, and install what they need.
      const daemons = Array.from({ length: DAEMONS }, () => cli.start(['run', '--log-format', 'json']));
      const stopOne = async (daemon: CliProcess, stage: string): Promise<void> => {
        await daemon.written(stage, ROUND_MS);
        const toldAt = performance.now();
        daemon.kill('SIGTERM');
        const { code, signal, stderr } = await daemon.exited();
        stopsMs.push(performance.now() - toldAt);
        expect({ code, signal, stderr }, daemon.output()).toEqual({ code: 0, signal: null, stderr: '' });
      };
      await Promise.all(daemons.map((daemon, index) => stopOne(daemon, STAGES[index % STAGES.length] ?? '')));
      expect(daemons.flatMap(complaints), `round ${round}`).toEqual([]);
      // A backend learns a moment later that its client is gone.
      const isQuiet = async () => (await leftovers(database)).connections === null;
      await waitUntil(isQuiet, { what: `the connections of round ${round} to be closed` });
      expect(await leftovers(database), `round ${round}`).toEqual({ connections: null, locks: 0, unfinished: 0 });
      expect(await strayJobs(database), `round ${round}`).toEqual([]);
    }
    const runs = await readRuns(database);
    // In each round somebody is not stopped before a run has ended, well or because its turn was over.
    expect(runs.length).toBeGreaterThanOrEqual(ROUNDS);
    expect(overlaps(runs)).toEqual([]);
    expect(doubles(runs)).toEqual([]);
    // Told to stop, a process ends its runs itself, and has it on record.
    expect(falselyInterrupted(runs, [])).toEqual([]);
    const slowest = Math.max(...stopsMs);
    process.stdout.write(
      `start and stop: ${ROUNDS} rounds of ${DAEMONS} in ${((performance.now() - began) / 1000).toFixed(0)} s, ${runs.length} runs; slowest stop ${(slowest / 1000).toFixed(1)} s\n`,
    );
  },
);
