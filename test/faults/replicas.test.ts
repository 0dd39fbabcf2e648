/** Any number of replicas beside one database: each tick is run once, whoever dies. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from 'pg';
import { expect, test } from 'vitest';
import { type CliProcess, cliTest } from '../support/cli.ts';
import { waitUntil } from '../support/client.ts';
import {
  doubles,
  falselyInterrupted,
  type Kill,
  type LedgerRun,
  overlaps,
  readRuns,
  unexplained,
} from '../support/run-judge.ts';
import { shortOrLong } from '../support/stress.ts';

const PRELOAD = fileURLToPath(new URL('../support/shifted-clock.ts', import.meta.url));
const SKEWS_MS = [-90_000, 0, 90_000];
const TICK_MS = 2_000;
const TICKS = shortOrLong(16, 60);
const TAKEOVER_MS = 15_000;
/** When one of them is killed, and when all are and come back, in seconds after the first tick. */
const KILLS_BEFORE_S = shortOrLong([4], [5, 15, 25, 35, 45]);
const OUTAGE_S = shortOrLong([10, 18], [55, 75]) as readonly [number, number];
const KILLS_AFTER_S = shortOrLong([24], [85, 95, 105]);

/** Each view waits at a gate of its own, which is open unless the test closes it. */
const GATE = 7_771;
const TARGETS = ['app.first', 'app.second'];
const VIEWS = `
  create schema app;
  create function app.pass(gate int) returns int language sql volatile as
    'select pg_catalog.pg_advisory_xact_lock_shared(${GATE}, gate); select gate';
  create materialized view app.first as select app.pass(0) as n with no data;
  create materialized view app.second as select app.pass(1) as n with no data;
  create unique index on app.first (n);
  create unique index on app.second (n);
`;
const POLICY = `database: { lockTimeout: 20s, lockAttempts: 2, statementTimeout: 60s }
queue: { runTimeout: 5min }
views:
  app.first: { schedule: '*/2 * * * * *', skipUnchanged: false }
  app.second: { schedule: '*/2 * * * * *', skipUnchanged: false }
`;

const daemonTest = cliTest.extend('template', 'bookkeeping');

daemonTest(
  `F29: ${TICKS} ticks on two targets by three replicas of skewed clocks, one killed every 10 s and all of them once: no tick twice, none lost, no overlap`,
  { timeout: TICKS * TICK_MS + 120_000 },
  async ({ cli, configure, database }) => {
    await configure(POLICY);
    await database.query(VIEWS);
    const began = performance.now();
    const gate = await database.connect();
    const now = async (): Promise<number> => {
      const [row] = await database.query<{ ms: number }>(
        'select extract(epoch from clock_timestamp())::float8 * 1000 as ms',
      );
      return row?.ms ?? 0;
    };
    const everyone: CliProcess[] = [];
    const start = (slot: number): CliProcess => {
      const env = { TEST_CLOCK_SHIFT_MS: String(SKEWS_MS[slot]) };
      const daemon = cli.start(['run', '--log-format', 'json'], { env, preload: PRELOAD });
      everyone.push(daemon);
      return daemon;
    };
    const replicas = SKEWS_MS.map((_, slot) => start(slot));
    await Promise.all(replicas.map(replica => replica.written('Ready: the database answers')));
    for (const [slot, replica] of replicas.entries()) {
      const aheadMs = Number(new Date(String(replica.log()[0]?.time))) - Date.now();
      expect(Math.abs(aheadMs - (SKEWS_MS[slot] ?? 0)), `the clock of ${slot}`).toBeLessThan(20_000);
    }

    const first = Math.ceil((await now()) / TICK_MS) * TICK_MS;
    const last = first + (TICKS - 1) * TICK_MS;
    const kills: Kill[] = [];
    const kill = async (slot: number): Promise<number> => {
      const victim = replicas[slot];
      if (!victim) throw new Error(`there is no replica ${slot}`);
      victim.kill('SIGKILL');
      await victim.exited();
      const at = await now();
      kills.push({ pid: victim.pid, at });
      return at;
    };
    const until = async (afterMs: number): Promise<void> => sleep(Math.max(0, first + afterMs - (await now())));

    const takeovers: { target: string; at: number }[] = [];
    const killDuringRun = async (index: number): Promise<void> => {
      const target = TARGETS[index] ?? '';
      const run = await runAtGate(gate, index, target, database);
      const slot = replicas.findIndex(({ pid }) => run.replica.endsWith(`/${pid}`));
      const at = await kill(slot);
      await gate.query('select pg_advisory_unlock($1, $2)', [GATE, index]);
      takeovers.push({ target, at });
      replicas[slot] = start(slot);
    };

    for (const [round, second] of KILLS_BEFORE_S.entries()) {
      await until(second * 1_000);
      await killDuringRun(round % 2);
    }
    const [downS, upS] = OUTAGE_S;
    await until(downS * 1_000);
    const downFrom = await now();
    await Promise.all(replicas.map((_, slot) => kill(slot)));
    await until(upS * 1_000);
    const upAgain = await now();
    for (const slot of replicas.keys()) replicas[slot] = start(slot);
    for (const [round, second] of KILLS_AFTER_S.entries()) {
      await until(second * 1_000);
      await killDuringRun(round % 2);
    }
    await until(last - first);
    const open = await waitUntil(
      async () => {
        const left = unexplained(await readRuns(database), { targets: TARGETS, first, last, everyMs: TICK_MS });
        return left.length === 0 && 'none';
      },
      { deadlineMs: 60_000, pollMs: 500, what: 'the last tick to be explained' },
    ).catch(() => 'some');

    for (const replica of replicas) replica.kill('SIGTERM');
    expect((await Promise.all(replicas.map(replica => replica.exited()))).map(({ code }) => code)).toEqual([0, 0, 0]);
    const runs = await readRuns(database);
    const judged = runs.filter(({ tick }) => tick >= first && tick <= last);
    const took = takeovers.map(({ target, at }) => {
      const next = nextStart(runs, target, at);
      // While all were down, nobody could.
      return next - (at < downFrom && next > downFrom ? upAgain : at);
    });
    const afterOutage = TARGETS.map(target => nextStart(runs, target, upAgain) - upAgain);
    print(judged, took, afterOutage, performance.now() - began);

    expect(unexplained(judged, { targets: TARGETS, first, last, everyMs: TICK_MS })).toEqual([]);
    expect(open).toBe('none');
    expect(doubles(runs)).toEqual([]);
    expect(overlaps(runs)).toEqual([]);
    expect(falselyInterrupted(runs, kills)).toEqual([]);
    expect(runs.filter(({ outcome }) => outcome === 'interrupted').length).toBeGreaterThanOrEqual(takeovers.length);
    for (const [index, tookMs] of took.entries()) expect(tookMs, `takeover ${index}`).toBeLessThan(TAKEOVER_MS);
    for (const tookMs of afterOutage) expect(tookMs, 'after the outage').toBeLessThan(TAKEOVER_MS);

    // Each of the ticks of the outage is on record, and was counted by one replica.
    const missed = runs.filter(({ reason }) => reason?.startsWith('missed'));
    // But for the first, which may have been offered already, and the last, which is not missed but run.
    const missable = TARGETS.length * ((upS - downS) / (TICK_MS / 1_000) - 2);
    const ofOutage = missed.filter(({ tick }) => tick > downFrom && tick < upAgain - TICK_MS);
    expect(ofOutage.length).toBeGreaterThanOrEqual(missable);
    const counted = everyone
      .flatMap(daemon => daemon.log())
      .filter(({ msg }) => msg === 'ticks missed')
      .reduce((sum, { ticks }) => sum + Number(ticks), 0);
    expect(counted).toBe(missed.length);
    const errors = everyone
      .flatMap(daemon => daemon.log())
      .filter(({ level }) => level === 'error' || level === 'fatal');
    expect(errors.map(({ text }) => text)).toEqual([]);
  },
);

/** Closes the gate and waits for a run that stands before it: then it can be killed, and is killed in its work. */
async function runAtGate(
  gate: Client,
  index: number,
  target: string,
  database: { query<Row extends object>(sql: string, params?: readonly unknown[]): Promise<Row[]> },
): Promise<{ replica: string }> {
  await gate.query('select pg_advisory_lock($1, $2)', [GATE, index]);
  return waitUntil(
    async () => {
      const [run] = await database.query<{ replica: string }>(
        `select replica from partkeeper.runs
          where target = $1 and finished_at is null
            and exists (select from pg_locks where locktype = 'advisory' and classid = $2 and objid = $3 and not granted)`,
        [target, GATE, index],
      );
      return run;
    },
    { deadlineMs: 60_000, what: `a run of ${target} at its gate` },
  );
}

const nextStart = (runs: readonly LedgerRun[], target: string, after: number): number =>
  runs.find(run => run.target === target && run.outcome !== 'skipped' && run.started > after)?.started ?? Infinity;

function print(runs: readonly LedgerRun[], took: readonly number[], afterOutage: readonly number[], wallMs: number) {
  const counts = new Map<string, number>();
  for (const { outcome, reason } of runs) {
    const what = `${outcome ?? 'unfinished'}${reason ? ` (${reason})` : ''}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const seconds = (ms: readonly number[]): string => ms.map(each => (each / 1000).toFixed(1)).join(', ');
  process.stdout.write(
    [
      `replicas: ${TICKS} ticks on ${TARGETS.length} targets in ${(wallMs / 1000).toFixed(0)} s`,
      ...[...counts].map(([what, count]) => `  ${String(count).padStart(4)} ${what}`),
      `  taken over after (s): ${seconds(took)}`,
      `  at work again after the outage (s): ${seconds(afterOutage)}`,
      '',
    ].join('\n'),
  );
}

test.for<[string, Partial<LedgerRun>[], (runs: readonly LedgerRun[]) => readonly string[]]>([
  ['an overlap', [{ finished: 30 }, { tick: 2, run_id: 'b', started: 20 }], overlaps],
  ['a run that never ended', [{ finished: null }, { tick: 2, run_id: 'b', started: 20 }], overlaps],
  ['a tick that succeeded twice', [{}, { attempt: 2, started: 20, finished: 30 }], doubles],
  ['a tick under two ids', [{ outcome: 'interrupted' }, { run_id: 'b', started: 20, finished: 30 }], doubles],
  [
    'a tick both run and left out',
    [
      { outcome: 'skipped', attempt: 0 },
      { started: 20, finished: 30 },
    ],
    doubles,
  ],
  ['a lost tick', [{}], runs => unexplained(runs, { targets: ['t'], first: 0, last: 2, everyMs: 2 })],
  [
    'a tick left out without a reason',
    [{ outcome: 'skipped' }],
    runs => unexplained(runs, { targets: ['t'], first: 0, last: 0, everyMs: 2 }),
  ],
  ['an interruption by nobody', [{ outcome: 'interrupted' }], runs => falselyInterrupted(runs, [{ pid: 2, at: 5 }])],
])('the judge of the ledger notices %s', ([, given, judge]) => {
  const sound: LedgerRun = {
    run_id: 'a',
    attempt: 1,
    target: 't',
    tick: 0,
    replica: 'h/1',
    started: 0,
    finished: 10,
    outcome: 'success',
    reason: null,
  };
  expect(judge(given.map(part => ({ ...sound, ...part }))), 'unsound').not.toEqual([]);
  const next = { ...sound, run_id: 'c', tick: 2, started: 10, finished: 20 };
  expect(judge([sound, next]), 'sound').toEqual([]);
});
