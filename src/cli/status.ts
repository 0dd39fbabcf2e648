/** `partkeeper status`: per job and target its last run, its next tick, what runs, what rests, and what is wrong. */
import type { Command } from 'commander';
import { type App, createApp } from '../app.ts';
import { schedulesOf } from '../config/schedules.ts';
import { EXIT_CODES } from '../domain/errors.ts';
import { hasErrors } from '../domain/plan.ts';
import { formatRelationName, isSameRelation } from '../domain/relation.ts';
import { formatInstant } from '../domain/time.ts';
import { isPausedBy, readLastRuns, readPauses, readRunning } from '../ledger/reading.ts';
import { nextTick } from '../schedule/ticks.ts';
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
      const lines = rows.jobs.map(
        row =>
          `${row.job} ${row.target}: last ${row.lastOutcome ?? 'never'}${row.lastFinished ? ` at ${row.lastFinished}` : ''}, next ${row.next ?? 'when asked for'}${row.paused ? ', paused' : ''}${row.running ? `, running on ${row.running}` : ''}`,
      );
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
  const known = await database.use(async session => ({
    runs: await readLastRuns(session),
    pauses: await readPauses(session),
    running: await readRunning(session),
  }));
  const schedules = schedulesOf(config);
  const now = runner.clock();
  const jobs = tasksOf(options, policies).flatMap(({ job, targets }) =>
    targets.map(target => {
      const last = known.runs.find(run => run.job === job.name && isSameRelation(run.target, target));
      const schedule = schedules.find(
        entry => entry.job === job.name && isSameRelation(entry.target, target),
      )?.schedule;
      const next = schedule && nextTick(schedule, now);
      const name = formatRelationName(target);
      return {
        job: job.name,
        target: name,
        lastOutcome: last?.lastOutcome,
        lastFinished: last?.lastAttempt && formatInstant(last.lastAttempt),
        lastSuccess: last?.lastSuccess && formatInstant(last.lastSuccess),
        consecutiveFailures: last?.consecutiveFailures ?? 0,
        next: next && formatInstant(next),
        paused: isPausedBy(known.pauses, job.name, target),
        running: known.running.find(run => run.job === job.name && run.target === name)?.replica,
      };
    }),
  );
  return { jobs, pauses: known.pauses };
}
