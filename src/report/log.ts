/** Events → log lines. The message of a kind of line never varies; what varies is in fields, and once more as a sentence. */
import type { ErrorCode, MaintenanceError } from '../domain/errors.ts';
import type { Severity } from '../domain/findings.ts';
import { formatRelationName } from '../domain/relation.ts';
import { superuserNotice } from '../domain/superuser.ts';
import type { Emit, Event, Outcome } from './events.ts';
import { explainAction, explainError, explainOutcome, explainResult, explainSkip, nameOf } from './explain.ts';
import { formatElapsed, plural, printable } from './figures.ts';
import { trackFindings } from './finding-tracker.ts';
import { LEFT_TO_METRICS, listenWith } from './listeners.ts';
import { actionFields, errorFields, findingFields, runFields, sentenceOf } from './log-fields.ts';
import { logConfigurations, logTriggers } from './log-service.ts';
import type { Logger } from './logger.ts';
import { type LongWorkOptions, watchLongWork } from './long-work.ts';
import { trackTroubles } from './trouble-tracker.ts';

type Finished = Extract<Event, { kind: 'run-finished' }>;
type Level = 'debug' | 'info' | 'warn' | 'error';

const LEVEL_OF_FINDING: { readonly [K in Severity]: Level } = { info: 'info', warning: 'warn', error: 'error' };
const LEVEL_OF_OUTCOME: { readonly [K in Outcome]: Level } = {
  success: 'info',
  partial: 'warn',
  failure: 'error',
  canceled: 'info',
  skipped: 'info',
};
/** Of an action. Stopping was asked for; a stale plan is made anew, and the run tells whether that helped. */
const LEVEL_OF_FAILURE: Partial<Record<ErrorCode, Level>> = { CANCELLED: 'info', STALE_PLAN: 'warn' };

/** Of what takes long: for people who watch, since the record has what it came to at its end. */
export const logLongWork = (logger: Logger, every: LongWorkOptions['every']): Emit =>
  watchLongWork({
    every,
    tell: (run, action, elapsedMs) =>
      logger.info(
        {
          ...actionFields(run, action),
          durationMs: elapsedMs,
          text: `${explainAction(action).headline}: still at it after ${formatElapsed(elapsedMs)}`,
        },
        'action goes on',
      ),
  });

export interface LogOptions {
  /** The database is there to be played with: that we are a superuser in it is no news. */
  readonly isDemo?: boolean | undefined;
}

/**
 * A subscriber that logs each event once. Per run there is one line at `info` or above, and one per action; a finding is
 * logged when it appears, changes or vanishes, and at `debug` while it merely lasts, as is a database that stays away.
 */
export function logEvents(logger: Logger, { isDemo = false }: LogOptions = {}): Emit {
  const tracker = trackFindings();
  // Which run's action failed of it: the run passes it on, and runs on several targets can fail of the same one.
  const toldBy = new WeakMap<MaintenanceError, string>();
  let lastObservationProblem: string | undefined;
  const queueTroubles = trackTroubles();
  const ledgerTroubles = trackTroubles();
  let lastPaused: string | undefined;
  let isSuperuserTold = isDemo;

  const logFindings = (finished: Finished): void => {
    const { appeared, remained, cleared } = tracker.update(finished);
    const run = runFields(finished.run);
    for (const finding of appeared) logger[LEVEL_OF_FINDING[finding.severity]](findingFields(run, finding), 'finding');
    for (const finding of remained) logger.debug(findingFields(run, finding), 'finding remains');
    for (const finding of cleared) {
      const fields = findingFields(run, finding);
      logger.info({ ...fields, text: `No longer so: ${fields.text}` }, 'finding cleared');
    }
  };

  const logSkips = ({ run, skips }: Finished): void => {
    if (!logger.isLevelEnabled('debug')) return;
    for (const skip of skips) {
      const { reason, detail } = skip;
      const fields = { ...runFields(run), relation: formatRelationName(skip.relation), reason, detail };
      logger.debug({ ...fields, text: explainSkip(skip) }, 'skipped');
    }
  };

  const logRun = (finished: Finished): void => {
    const { run, outcome, done, failed, skips, findings, durationMs, error } = finished;
    const fields = {
      ...runFields(run),
      outcome,
      done,
      failed,
      skipped: skips.length,
      findings: findings.length,
      durationMs,
    };
    const text = explainOutcome(finished);
    const isNews = error !== undefined && toldBy.get(error) !== run.runId;
    const line = isNews
      ? { ...fields, ...errorFields(error), text: `${text}: ${explainError(error)}` }
      : { ...fields, text };
    logger[LEVEL_OF_OUTCOME[outcome]](line, 'run finished');
  };

  return listenWith({
    ...LEFT_TO_METRICS,
    'run-started': ({ run }) =>
      logger.debug(
        { ...runFields(run), text: `${run.job} ${nameOf(run.target)} begins (${run.trigger})` },
        'run started',
      ),
    planned({ run, plan }) {
      tracker.planned(run);
      logger.debug(
        {
          ...runFields(run),
          now: plan.now,
          actions: plan.actions.length,
          skips: plan.skips.length,
          text: `${run.job} ${nameOf(run.target)}: ${plural(plan.actions.length, 'action')} planned`,
        },
        'planned',
      );
    },
    'action-started': ({ run, action }) =>
      logger.debug({ ...actionFields(run, action), text: sentenceOf(action) }, 'action started'),
    'action-retried': ({ run, action, attempt, delayMs, error }) =>
      logger.warn(
        {
          ...actionFields(run, action),
          ...errorFields(error),
          attempt,
          delayMs,
          text: `${explainAction(action).headline}: attempt ${attempt} failed, next in ${formatElapsed(delayMs)}: ${explainError(error)}`,
        },
        'action retried',
      ),
    'action-finished': ({ run, action, result }) =>
      logger.info(
        {
          ...actionFields(run, action),
          ...result,
          text: `${explainResult(action, result)}; ${explainAction(action).why}`,
        },
        'action finished',
      ),
    'action-deferred': ({ run, action, error }) =>
      logger.warn(
        {
          ...actionFields(run, action),
          ...errorFields(error),
          text: `${explainAction(action).headline}: put off to the next tick: ${explainError(error)}`,
        },
        'action deferred',
      ),
    'action-failed': ({ run, action, error, attempts, durationMs }) => {
      toldBy.set(error, run.runId);
      logger[LEVEL_OF_FAILURE[error.code] ?? 'error'](
        {
          ...actionFields(run, action),
          ...errorFields(error),
          attempts,
          durationMs,
          text: `${explainAction(action).headline}: failed after ${plural(attempts, 'attempt')}: ${explainError(error)}`,
        },
        'action failed',
      );
    },
    'run-finished': finished => {
      logFindings(finished);
      logSkips(finished);
      logRun(finished);
      if (ledgerTroubles.isOver()) logger.info({ text: 'The ledger is kept again.' }, 'ledger recovered');
    },
    observed: ({ facts, durationMs }) => {
      const { server, tables, views, missing } = facts;
      const notice = superuserNotice(server);
      if (notice && !isSuperuserTold)
        logger.warn({ user: server.user, hint: notice.hint, text: `${notice.message}: ${notice.hint}` }, 'superuser');
      isSuperuserTold ||= notice !== undefined;
      const counts = { tables: tables.length, views: views.length, missing: missing.length, durationMs };
      const recovered = lastObservationProblem !== undefined;
      lastObservationProblem = undefined;
      logger[recovered ? 'info' : 'debug'](
        { ...counts, text: recovered ? 'The database can be read again.' : 'Facts were read from the database.' },
        'observed',
      );
    },
    'observation-failed': ({ error, durationMs }) => {
      const problem = `${error.code} ${error.sqlstate}`;
      const isNews = problem !== lastObservationProblem && error.code !== 'CANCELLED';
      if (isNews) lastObservationProblem = problem;
      logger[isNews ? 'error' : 'debug'](
        { ...errorFields(error), durationMs, text: `The database could not be read: ${explainError(error)}` },
        'observation failed',
      );
    },
    scheduled: ({ job, target, nextRun }) =>
      logger.debug(
        {
          job,
          target: formatRelationName(target),
          nextRun,
          text: `${job} ${nameOf(target)}: ${nextRun === undefined ? 'not scheduled' : `next at ${nextRun.toString()}`}`,
        },
        'scheduled',
      ),
    'tick-skipped': ({ job, target, tick, reason }) =>
      logger.info(
        {
          job,
          target: formatRelationName(target),
          tick,
          reason,
          text: `${job} ${nameOf(target)}: left out at ${tick.toString()}, ${reason}`,
        },
        'tick skipped',
      ),
    'ticks-missed': ({ job, ticks }) =>
      logger.warn(
        { job, ticks, text: `${job}: ${plural(ticks, 'tick')} passed while no replica was there` },
        'ticks missed',
      ),
    'job-rejected': ({ rejection, because }) =>
      logger.warn({ reason: rejection, because, text: `A job of the queue was rejected: ${because}` }, 'job rejected'),
    'queue-troubled': ({ error }) => {
      logger[queueTroubles.isNews(error.message) ? 'warn' : 'debug'](
        { ...errorFields(error), text: `The queue cannot be worked with: ${explainError(error)}` },
        'queue troubled',
      );
    },
    'queue-watched': () => {
      if (queueTroubles.isOver()) logger.info({ text: 'The queue can be worked with again.' }, 'queue recovered');
    },
    'ledger-troubled': ({ error }) => {
      logger[ledgerTroubles.isNews(error.message) ? 'warn' : 'debug'](
        { ...errorFields(error), text: `The ledger cannot be kept: ${explainError(error)}` },
        'ledger troubled',
      );
    },
    'run-interrupted': ({ runId, job, target }) =>
      logger.warn(
        { job, target, run: runId, text: `${job} ${printable(target)}: its process vanished before the run was over` },
        'run interrupted',
      ),
    'pauses-read': ({ pauses }) => {
      const paused = pauses.filter(({ isPaused }) => isPaused).map(({ job, target }) => `${job} ${nameOf(target)}`);
      const text = paused.length === 0 ? 'Nothing is paused.' : `Paused: ${paused.join(', ')}`;
      const isNews = lastPaused !== text && !(lastPaused === undefined && paused.length === 0);
      lastPaused = text;
      logger[isNews ? 'info' : 'debug']({ paused, text }, 'pauses read');
    },
    remembered: ({ job, target, history }) =>
      logger.debug(
        {
          job,
          target: formatRelationName(target),
          ...history,
          text: `${job} ${nameOf(target)}: its last runs are known`,
        },
        'remembered',
      ),
    ...logConfigurations(logger, tracker),
    ...logTriggers(logger),
    'ready-changed': ({ ready, because }) =>
      logger[ready ? 'info' : 'warn'](
        { ready, reason: because, text: `${ready ? 'Ready' : 'Not ready'}: ${because}` },
        'readiness changed',
      ),
    listening: ({ address }) => logger.info({ address, text: `Listening on ${address}` }, 'listening'),
    stopping: ({ because }) => logger.info({ reason: because, text: `Stopping: ${because}` }, 'stopping'),
    stopped: () => logger.info({ text: 'Stopped.' }, 'stopped'),
  });
}
