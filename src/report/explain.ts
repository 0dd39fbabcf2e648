/** Sentences for people. Pure: what a plan, a log line and the command line say about the same thing is the same. */
import type { MaintenanceError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { hasErrors } from '../domain/findings.ts';
import type { Action, Because, Skip } from '../domain/plan.ts';
import { SKIP_REASONS } from '../domain/plan.ts';
import type { RelationName } from '../domain/relation.ts';
import { formatRelationName } from '../domain/relation.ts';
import { formatInstant, type KeyType } from '../domain/time.ts';
import type { ActionResult, Event, Outcome } from './events.ts';
import {
  formatBytes,
  formatCount,
  formatElapsed,
  formatRowsEstimate,
  formatWindow,
  plural,
  printable,
} from './figures.ts';

/** The configured spelling, fit for one line of a terminal. */
export const nameOf = (relation: RelationName): string => printable(formatRelationName(relation));

type BecauseOf = { readonly [K in Because['rule']]: Extract<Because, { rule: K }> };

const REASONS: { readonly [K in Because['rule']]: (because: BecauseOf[K], key: KeyType | undefined) => string } = {
  'current-window': ({ window }, key) => `the current window has no partition: ${formatWindow(window, key)}`,
  premake: ({ window, ahead, premake }, key) =>
    `premake: ${ahead} of ${plural(premake, 'window')} ahead, ${formatWindow(window, key)}`,
  gap: ({ window }, key) => `a hole between the partitions: ${formatWindow(window, key)}`,
  'left-behind': ({ check, drains }) =>
    `an interrupted run has left ${[...(check ? ['a CHECK that refuses rows'] : []), ...(drains > 0 ? [plural(drains, 'unfinished drain')] : [])].join(' and ')} beside the default partition`,
  expired: ({ upper, cutoff, retention }) =>
    `its upper bound ${formatInstant(upper)} is at or before the cutoff ${formatInstant(cutoff)} (retention ${retention})`,
  interrupted: ({ intendedAt, found }) =>
    found === 'pending'
      ? `its detach was begun at ${formatInstant(intendedAt)} and interrupted`
      : `it was detached by the run that was interrupted after ${formatInstant(intendedAt)}`,
  'in-the-way': () => 'somebody began to detach it and did not finish, and nothing else can be detached before',
  'grace-over': ({ dropAfter }) => `it is detached, and its grace ended at ${formatInstant(dropAfter)}`,
  'restore-asked': ({ askedAt }) => `it was asked for at ${formatInstant(askedAt)}`,
  'not-expired-now': ({ intendedAt }) =>
    `it was to be retired at ${formatInstant(intendedAt)}, and by today's policy its rows are inside their retention`,
  'never-populated': () => 'it was never populated, so nobody can read it',
  'never-refreshed': () => 'no refresh of it is on record',
  'window-moved': ({ lastRefresh }) =>
    `it depends on the clock, which has moved on since its last refresh at ${formatInstant(lastRefresh)}`,
  'bases-changed': ({ lastRefresh }) =>
    `what it reads has changed since its last refresh at ${formatInstant(lastRefresh)}`,
  'asked-for': () => 'it was asked for',
  'reads-refreshed': ({ view }) => `it reads ${nameOf(view)}, which is refreshed first`,
  'never-analyzed': () => 'it was never analyzed',
  'rows-changed': ({ changed, live }) =>
    `about ${formatCount(changed)} of ${plural(live, 'row')} changed since its last ANALYZE`,
  'partitions-changed': () => 'its partitions have changed since its own last ANALYZE',
};

const reasonOf = <K extends Because['rule']>(rule: K, because: BecauseOf[K], key: KeyType | undefined): string =>
  REASONS[rule](because, key);

/** Why something is done: `premake: 1 of 2 windows ahead, 2026-12-01 to 2027-01-01`. */
export const explainBecause = (because: Because, key?: KeyType): string => reasonOf(because.rule, because, key);

type ActionOf = { readonly [K in Action['kind']]: Extract<Action, { kind: K }> };

const sizeOf = (action: { readonly rowsEstimate: number | undefined; readonly bytesEstimate: number }): string =>
  `(${formatRowsEstimate(action.rowsEstimate)}, ${formatBytes(action.bytesEstimate)})`;

const HEADLINES: { readonly [K in Action['kind']]: (action: ActionOf[K]) => string } = {
  'create-partition': ({ relation }) => `create partition ${nameOf(relation)}`,
  'clear-leftovers': ({ relation }) => `clear what is left of an interrupted run at ${nameOf(relation)}`,
  'drop-partition': action => `drop ${nameOf(action.relation)} ${sizeOf(action)}`,
  'detach-partition': action => `detach ${nameOf(action.relation)} ${sizeOf(action)}`,
  'finalize-detach': ({ relation }) => `finish the detach of ${nameOf(relation)}`,
  'restore-partition': action => `attach ${nameOf(action.relation)} again ${sizeOf(action)}`,
  'refresh-view': ({ relation, concurrently }) =>
    `refresh ${nameOf(relation)} ${concurrently ? 'concurrently' : 'under a lock that stops its readers'}`,
  'analyze-table': ({ relation, only }) => `analyze ${nameOf(relation)}${only ? ' without its partitions' : ''}`,
};

const headlineOf = <K extends Action['kind']>(kind: K, action: ActionOf[K]): string => HEADLINES[kind](action);

/** What is to be done, as an order (`create partition …`), and why. */
export const explainAction = (action: Action): { readonly headline: string; readonly why: string } => ({
  headline: headlineOf(action.kind, action),
  why: explainBecause(action.because, action.kind === 'create-partition' ? action.keyType : undefined),
});

/** `unified.t_2026_11: Its upper bound is after the retention cutoff (2026-12-01T00:00:00Z).` */
export const explainSkip = ({ relation, reason, detail }: Skip): string => {
  const text = SKIP_REASONS[reason];
  const figures = detail === undefined ? '' : ` (${printable(detail)})`;
  return `${nameOf(relation)}: ${text.slice(0, -1)}${figures}.`;
};

/** `unified.t: <what is wrong>. <what to do about it>.` */
export const explainFinding = ({ target, message, hint }: Finding): string => {
  const name = nameOf(target);
  const text = asSentence(message);
  return join(text.startsWith(name) ? text : `${name}: ${text}`, asSentence(hint));
};

/** `<what stood in the way>. [LOCK_UNAVAILABLE, 55P03] <what to do about it>.` */
export const explainError = ({ message, code, sqlstate, hint }: MaintenanceError): string =>
  join(asSentence(message), `[${sqlstate === undefined ? code : `${code}, ${sqlstate}`}]`, asSentence(hint ?? ''));

/** `drop unified.t_2026_07 (…): done in 41 ms, 9.1 MB`. */
export const explainResult = (action: Action, result: ActionResult): string => {
  const what = explainAction(action).headline;
  if (result.outcome === 'already-done') return `${what}: somebody else had done it already`;
  const figures = [
    `done in ${formatElapsed(result.durationMs)}`,
    ...(result.attempts > 1 ? [`at attempt ${result.attempts}`] : []),
    ...(result.rows === undefined ? [] : [plural(result.rows, 'row')]),
    ...(result.bytes === undefined ? [] : [formatBytes(result.bytes)]),
  ];
  return `${what}: ${figures.join(', ')}`;
};

type Finished = Extract<Event, { kind: 'run-finished' }>;

type Counts = Pick<Finished, 'done' | 'failed' | 'deferred' | 'findings'>;

const OUTCOMES: { readonly [K in Outcome]: (finished: Counts) => string } = {
  success({ done, deferred, findings }) {
    if (done > 0) return `${formatCount(done)} done`;
    if (deferred > 0) return 'nothing done';
    // Of a table that is not there, nobody wants to read that there is nothing to do.
    return hasErrors({ findings }) ? 'nothing done' : 'nothing to do';
  },
  partial: ({ done, failed }) => `${formatCount(done)} done, ${formatCount(failed)} failed`,
  failure: ({ failed }) => (failed > 1 ? `${formatCount(failed)} failed` : 'failed'),
  skipped: () => 'left out: a run of it is still going',
  canceled: ({ done }) => (done === 0 ? 'stopped on request' : `stopped on request after ${formatCount(done)} done`),
};

/** `retire unified.t: 1 done, 14 left alone, 2 findings (1.2 s)`. */
export const explainOutcome = (
  finished: Counts & Pick<Finished, 'run' | 'outcome' | 'skips' | 'durationMs'>,
): string => {
  const { run, outcome, deferred, skips, findings, durationMs } = finished;
  const figures = [
    OUTCOMES[outcome](finished),
    ...(deferred === 0 ? [] : [`${formatCount(deferred)} put off`]),
    ...(skips.length === 0 ? [] : [`${formatCount(skips.length)} left alone`]),
    ...(findings.length === 0 ? [] : [plural(findings.length, 'finding')]),
  ];
  return `${run.job} ${nameOf(run.target)}: ${figures.join(', ')} (${formatElapsed(durationMs)})`;
};

const asSentence = (text: string): string => {
  const line = printable(text.trim());
  return line === '' || /[.!?:]$/.test(line) ? line : `${line}.`;
};

const join = (...parts: readonly string[]): string => parts.filter(part => part !== '').join(' ');
