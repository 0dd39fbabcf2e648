/** `partkeeper apply`: does now what `plan` shows. */
import { Argument, type Command, Option } from 'commander';
import { type App, createApp } from '../app.ts';
import { MaintenanceError } from '../domain/errors.ts';
import { JOB_NAMES, type JobName, joinParts, NOTHING } from '../domain/plan.ts';
import type { RelationName } from '../domain/relation.ts';
import { formatRelationName } from '../domain/relation.ts';
import { allTargets, observe } from '../observe.ts';
import { explainError, nameOf } from '../report/explain.ts';
import { type RunReport, runJob } from '../run-job.ts';
import { refuseUnknownAcknowledgements } from './acknowledge.ts';
import { exitCodeOfRuns } from './exit-code.ts';
import { type Io, json, line } from './io.ts';
import { commandWith, configOf, tasksOf, withInstant, withSelection } from './options.ts';
import { type PlanOptions, planNow, runPlan } from './plan.ts';
import { findingDocument, findingLines, skipDocument } from './plan-output.ts';
import { showProgress } from './progress.ts';
import { requesterOf } from './trigger.ts';

interface ApplyOptions extends PlanOptions {
  readonly reason?: string;
  readonly dryRun?: boolean;
}

export const applyCommand = (): Command =>
  withInstant(
    withSelection(commandWith('apply', 'do now what plan shows, and report each step'))
      .addArgument(new Argument('[job]', 'the same as --job').choices([...JOB_NAMES]))
      .option('--dry-run', 'the same as plan')
      .option('--reason <text>', 'goes on record with the runs')
      .addOption(
        new Option(
          '--acknowledge <name...>',
          'agree to an unusual plan by the name that its finding gives; good for exactly that plan',
        ),
      )
      .option('--force', 'also what is not due yet'),
    'pretend that this is now; for the demo database only',
  );

export async function runApply(given: ApplyOptions, io: Io, word?: JobName): Promise<number> {
  const options = { ...given, ...(word && { job: sameJob(given.job, word) }) };
  if (options.dryRun) return runPlan(options, io);
  const progress = options.json ? [] : showProgress(text => io.out(line(text)));
  const app = createApp(configOf(options, io), [...progress, ...io.subscribers]);
  try {
    const tasks = tasksOf(options, app.policies);
    if (options.at) await requireDemo(app);
    // A database that cannot be reached is one problem, not one for each job.
    if (options.acknowledge === undefined) await observe(app.runner, allTargets(app.policies), io.stopping);
    else {
      const plan = await planNow(app, { ...options, acknowledge: [] }, io.stopping);
      refuseUnknownAcknowledgements(options.acknowledge, plan);
    }
    const reports: RunReport[] = [];
    for (const { job, targets } of tasks) {
      if (io.stopping.aborted) break;
      reports.push(...(await applyJob(app, job.name, targets, options, io)));
    }
    io.out(options.json ? json(applyDocument(reports)) : line(summary(reports, io.stopping)));
    return exitCodeOfRuns(reports, io.stopping);
  } finally {
    await app.close();
  }
}

const sameJob = (flag: JobName | undefined, word: JobName): JobName => {
  if (flag === undefined || flag === word) return word;
  throw new MaintenanceError('USAGE', `apply was asked for ${word} and for --job ${flag}`, { hint: 'Name one job.' });
};

const applyJob = (
  app: App,
  job: RunReport['run']['job'],
  targets: readonly RelationName[],
  options: ApplyOptions,
  io: Io,
) =>
  runJob(app.runner, {
    job,
    targets,
    origin: { trigger: 'manual', requestedBy: requesterOf(io.env), reason: options.reason },
    isAskedFor: options.force ?? false,
    acknowledged: new Set(options.acknowledge),
    signal: io.stopping,
    stopping: io.stopping,
    at: options.at,
  });

/** Another moment than now would let partitions be dropped that are still wanted: only where there is nothing to lose. */
async function requireDemo({ database }: App): Promise<void> {
  const rows = await database.use(session =>
    session.query(
      // The database's own setting: current_setting() would believe whoever connects.
      `select from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
       where d.datname = current_database() and s.setrole = 0 and 'partkeeper.demo=on' = any (s.setconfig)`,
      [],
      'ask whether this is a demo database',
    ),
  );
  if (rows.length === 0)
    throw new MaintenanceError(
      'USAGE',
      `apply --at would act on another date than today's, and ${database.address} is not a demo database`,
      {
        hint: 'Use plan --at to see what would be done then.',
      },
    );
}

const applyDocument = (reports: readonly RunReport[]) => ({
  runs: reports.map(({ run, outcome, done, failed, deferred, skips, findings, error }) => ({
    run: run.runId,
    job: run.job,
    target: formatRelationName(run.target),
    outcome,
    done,
    failed,
    deferred,
    error: error && { code: error.code, message: error.message, hint: error.hint, sqlstate: error.sqlstate },
    skips: skips.map(skipDocument),
    findings: findings.map(findingDocument),
  })),
});

function summary(reports: readonly RunReport[], stopping: AbortSignal): string {
  const sum = (of: (report: RunReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  const count = `${sum(({ done }) => done)} done, ${sum(({ failed }) => failed)} failed, ${sum(({ skips }) => skips.length)} left alone.`;
  const failures = reports.flatMap(({ run, error }) =>
    error ? [`  ${run.job} ${nameOf(run.target)}: ${explainError(error)}`] : [],
  );
  const findings = joinParts(reports.map(report => ({ ...NOTHING, findings: report.findings }))).findings;
  return [
    stopping.aborted ? `Stopped before everything was done: ${count}` : count,
    ...(failures.length > 0 ? [`Failures (${failures.length}):`, ...failures] : []),
    ...(findings.length > 0 ? findingLines(findings) : []),
  ].join('\n');
}
