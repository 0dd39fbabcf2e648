/** Judges a ledger of runs by itself alone: knows nothing of the queue, nor of the code that wrote it. */
import type { TestDatabase } from './database.ts';

export interface LedgerRun {
  readonly run_id: string;
  readonly attempt: number;
  readonly target: string;
  /** Milliseconds of the database's clock, like all moments here. */
  readonly tick: number;
  readonly replica: string;
  readonly started: number;
  readonly finished: number | null;
  readonly outcome: string | null;
  readonly reason: string | null;
}

/** Every scheduled refresh on record. */
export const readRuns = (database: Pick<TestDatabase, 'query'>): Promise<LedgerRun[]> =>
  database.query<LedgerRun>(
    `select run_id, attempt, target, replica, outcome, reason,
            extract(epoch from tick)::float8 * 1000 as tick,
            extract(epoch from started_at)::float8 * 1000 as started,
            extract(epoch from finished_at)::float8 * 1000 as finished
       from partkeeper.runs where job = 'refresh' and trigger = 'schedule' order by started_at`,
  );

export interface Kill {
  readonly pid: number;
  readonly at: number;
}

const nameOf = ({ target, tick, attempt }: LedgerRun): string =>
  `${target} at ${new Date(tick).toISOString()}, attempt ${attempt}`;

const isSkip = ({ outcome }: LedgerRun): boolean => outcome === 'skipped';

function groupBy<T>(rows: readonly T[], keyOf: (row: T) => string): readonly T[][] {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return [...groups.values()];
}

/** Two runs of one job on one target at the same time. One that has not ended lasts for ever. */
export const overlaps = (runs: readonly LedgerRun[]): readonly string[] =>
  groupBy(
    runs.filter(run => !isSkip(run)),
    run => run.target,
  ).flatMap(ofTarget =>
    ofTarget
      .toSorted((a, b) => a.started - b.started)
      .flatMap((run, index, sorted) => {
        const before = sorted.slice(0, index).find(other => (other.finished ?? Infinity) > run.started);
        return before ? [`${nameOf(run)} began while ${nameOf(before)} was going`] : [];
      }),
  );

/** Ticks that were run twice, or that are said to be both run and left out. */
export const doubles = (runs: readonly LedgerRun[]): readonly string[] =>
  groupBy(runs, run => `${run.target} ${run.tick}`).flatMap(ofTick => {
    const [first] = ofTick;
    if (!first) return [];
    const successes = ofTick.filter(({ outcome }) => outcome === 'success');
    const attempts = new Set(ofTick.map(({ attempt }) => attempt));
    const problems = [
      new Set(ofTick.map(({ run_id }) => run_id)).size > 1 && 'has two runs',
      attempts.size < ofTick.length && 'has an attempt twice',
      successes.length > 1 && 'succeeded twice',
      successes.some(success => ofTick.some(other => other.started > success.started)) && 'went on after it succeeded',
      ofTick.some(isSkip) && ofTick.length > 1 && 'was both run and left out',
    ];
    return problems.filter(problem => problem !== false).map(problem => `${nameOf(first)}: ${problem}`);
  });

/** Ticks from `first` to `last`, both included, that were neither run to an end nor left out for a stated reason. */
export function unexplained(
  runs: readonly LedgerRun[],
  { targets, first, last, everyMs }: { targets: readonly string[]; first: number; last: number; everyMs: number },
): readonly string[] {
  const isExplained = (run: LedgerRun): boolean => run.outcome === 'success' || (isSkip(run) && Boolean(run.reason));
  const explained = new Set(runs.filter(isExplained).map(({ target, tick }) => `${target} ${tick}`));
  const problems: string[] = [];
  for (let tick = first; tick <= last; tick += everyMs)
    for (const target of targets)
      if (!explained.has(`${target} ${tick}`)) {
        const found = runs.filter(run => run.target === target && run.tick === tick);
        const what = found.map(({ attempt, outcome }) => `attempt ${attempt} ${outcome ?? 'has not ended'}`).join(', ');
        problems.push(`${target} at ${new Date(tick).toISOString()}: ${what || 'nothing is on record'}`);
      }
  return problems;
}

/** Runs that are said to be interrupted although their process was not killed while they were going. */
export const falselyInterrupted = (runs: readonly LedgerRun[], kills: readonly Kill[]): readonly string[] =>
  runs
    .filter(({ outcome }) => outcome === 'interrupted')
    .filter(
      ({ replica, started, finished }) =>
        !kills.some(
          ({ pid, at }) => replica.endsWith(`/${pid}`) && started <= at && finished !== null && at <= finished,
        ),
    )
    .map(run => `${nameOf(run)} by ${run.replica}`);
