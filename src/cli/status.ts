/** `partkeeper status`: per job and target its last run, its next tick, what runs, what rests, and what is wrong. */
import type { Command } from 'commander';
import { type App, createApp } from '../app.ts';
import { schedulesOf } from '../config/schedules.ts';
import { EXIT_CODES } from '../domain/errors.ts';
import { hasErrors } from '../domain/findings.ts';
import { formatRelationName, isSameRelation, type RelationName } from '../domain/relation.ts';
import { formatInstant } from '../domain/time.ts';
import { isPausedBy, readLastRuns, readPauses, readRunning } from '../ledger/reading.ts';
import { formatElapsed, printable } from '../report/figures.ts';
import { nextTick } from '../schedule/ticks.ts';
import { whereInstalled } from './installed.ts';
import { type Io, json, line } from './io.ts';
import { commandWith, configOf, type SelectionOptions, type SharedOptions, tasksOf, withSelection } from './options.ts';
import { pauseText } from './pause.ts';
import { planNow } from './plan.ts';
import { findingDocument, findingLines } from './plan-output.ts';

export const statusCommand = (): Command =>
  withSelection(commandWith('status', 'show last runs, next ticks, what runs, what is paused and what is wrong'));

export async function runStatus(options: SharedOptions & SelectionOptions, io: Io): Promise<number> {
  const app = createApp(configOf(options, io), io.subscribers);
  try {
    const plan = await planNow(app, options, io.stopping);
    const rows = await readRows(app, options);
    const { findings } = plan;
    if (options.json) io.out(json({ now: plan.now, ...rows, findings: findings.map(findingDocument) }));
    else {
      const lines = rows.jobs.map(rowText);
      io.out(
        line(
          [...lines, ...rows.pauses.map(pauseText), ...(findings.length > 0 ? findingLines(findings) : [])].join('\n'),
        ),
      );
    }
    return hasErrors(plan) ? EXIT_CODES.findings : EXIT_CODES.done;
  } finally {
    await app.close();
  }
}

async function readRows({ config, policies, database, runner }: App, options: SelectionOptions) {
  const pairs = tasksOf(options, policies).flatMap(({ job, targets }) =>
    targets.map(target => ({ job: job.name, target })),
  );
  const known = await whereInstalled(
    database.use(async session => ({
      runs: await readLastRuns(session, pairs),
      pauses: await readPauses(session),
      running: await readRunning(session),
    })),
  );
  const schedules = schedulesOf(config);
  const now = runner.clock();
  const jobs = pairs.map(({ job, target }) => {
    const isThis = (other: { readonly job: string; readonly target: RelationName }): boolean =>
      other.job === job && isSameRelation(other.target, target);
    const last = known.runs.find(isThis);
    const schedule = schedules.find(isThis)?.schedule;
    const next = schedule && nextTick(schedule, now);
    const name = formatRelationName(target);
    const running = known.running.find(run => run.job === job && run.target === name);
    return {
      job,
      target: name,
      lastOutcome: last?.lastOutcome,
      lastFinished: last?.lastAttempt && formatInstant(last.lastAttempt),
      lastSuccess: last?.lastSuccess && formatInstant(last.lastSuccess),
      lastDurationMs: last?.lastDurationMs,
      consecutiveFailures: last?.consecutiveFailures ?? 0,
      next: next && formatInstant(next),
      paused: isPausedBy(known.pauses, job, target),
      running: running && { run: running.run_id, replica: running.replica, since: running.started_at },
    };
  });
  return { jobs, pauses: known.pauses };
}

type Row = Awaited<ReturnType<typeof readRows>>['jobs'][number];

/** `refresh app.totals: success at … in 1.2 s, next …` */
function rowText({ job, target, lastOutcome, lastFinished, lastDurationMs, consecutiveFailures, ...row }: Row): string {
  const cost = lastDurationMs === undefined ? '' : ` in ${formatElapsed(lastDurationMs)}`;
  const last = lastOutcome && lastFinished ? `${lastOutcome} at ${lastFinished}${cost}` : 'has not run yet';
  const failures = consecutiveFailures > 1 ? `, ${consecutiveFailures} failures in a row` : '';
  const running = row.running ? `, running since ${row.running.since} on ${row.running.replica}` : '';
  const next = row.next === undefined ? 'when asked for' : row.next;
  return printable(`${job} ${target}: ${last}${failures}${running}, next ${next}${row.paused ? ' (paused)' : ''}`);
}
