/** Shows a person at a terminal what is being done, while it is being done. */
import type { Emit } from '../report/events.ts';
import { explainAction, explainError, explainOutcome, explainResult } from '../report/explain.ts';
import { formatElapsed } from '../report/figures.ts';
import { LEFT_TO_LOG_AND_METRICS, listenWith } from '../report/listeners.ts';
import { type LongWorkOptions, watchLongWork } from '../report/long-work.ts';

/** Without keeping the process alive for it. */
export const every: LongWorkOptions['every'] = (ms, tick) => {
  const timer = setInterval(tick, ms).unref();
  return () => clearInterval(timer);
};

/** The subscribers that do so. */
export const showProgress = (out: (line: string) => void): readonly Emit[] => [
  watchLongWork({
    every,
    tell: (_, action, elapsedMs) =>
      out(`  ${explainAction(action).headline}: still at it after ${formatElapsed(elapsedMs)}`),
  }),
  listenWith({
    'run-started': () => {},
    planned: () => {},
    'action-started': ({ action }) => {
      const { headline, why } = explainAction(action);
      out(`… ${headline}, because ${why}`);
    },
    'action-retried': ({ attempt, delayMs, error }) =>
      out(`  try ${attempt} failed, next one in ${formatElapsed(delayMs)}: ${explainError(error)}`),
    'action-finished': ({ action, result }) => out(`✓ ${explainResult(action, result)}`),
    'action-deferred': ({ action, error }) =>
      out(`– ${explainAction(action).headline}: put off: ${explainError(error)}`),
    'action-failed': ({ action, error }) => out(`✗ ${explainAction(action).headline}: ${explainError(error)}`),
    'run-finished': finished => out(`  ${explainOutcome(finished)}`),
    observed: () => {},
    'observation-failed': () => {},
    remembered: () => {},
    'ledger-troubled': ({ error }) => out(`  not on record: ${explainError(error)}`),
    'run-interrupted': ({ job, target }) => out(`  an earlier run of ${job} ${target} was interrupted`),
    'pauses-read': () => {},
    ...LEFT_TO_LOG_AND_METRICS,
    stopping: ({ because }) => out(`stopping: ${because}`),
  }),
];
