/** `partkeeper history`: what was done, why, how long it took and for whom, from the ledger. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { createApp } from '../app.ts';
import { parseCalendarDuration, parseTimeout, subtract } from '../domain/duration.ts';
import { EXIT_CODES, MaintenanceError } from '../domain/errors.ts';
import { parseRelationName } from '../domain/relation.ts';
import type { Instant } from '../domain/time.ts';
import { type ActionRow, type RunRow, readActions, readHistory } from '../ledger/reading.ts';
import { formatBytes, formatElapsed, printable } from '../report/figures.ts';
import { whereInstalled } from './installed.ts';
import { type Io, json, line } from './io.ts';
import {
  commandWith,
  configOf,
  parseInstant,
  type SelectionOptions,
  type SharedOptions,
  withSelection,
} from './options.ts';

interface HistoryOptions extends SharedOptions, SelectionOptions {
  readonly since?: string;
  readonly actions?: boolean;
  readonly limit: number;
}

export const historyCommand = (): Command =>
  withSelection(commandWith('history', 'show the runs on record, newest first'))
    .option('--since <when>', "only runs since a date, an instant, or so long ago ('2 days', '30 minutes')")
    .option('--actions', 'each action of each run, with its statements')
    .addOption(new Option('--limit <n>', 'at most this many runs').default(50).argParser(parseLimit));

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) throw new InvalidArgumentError('Write a whole number from 1.');
  return limit;
}

export async function runHistory(options: HistoryOptions, io: Io): Promise<number> {
  const app = createApp(configOf(options, io), io.subscribers);
  try {
    const target = options.target === undefined ? undefined : parseRelationName(options.target);
    if (target && 'problem' in target) throw new MaintenanceError('USAGE', `--target: ${target.problem}`);
    const request = {
      job: options.job,
      target,
      since: sinceOf(options.since, app.runner.clock()),
      limit: options.limit,
    };
    const read = app.database.use(async session => {
      const found = await readHistory(session, request);
      const ids = options.actions ? [...new Set(found.map(run => run.run_id))] : [];
      return { runs: found, actions: await readActions(session, ids) };
    }, io.stopping);
    const { runs, actions } = await whereInstalled(read);
    if (options.json)
      io.out(json({ runs: options.actions ? runs.map(run => ({ ...run, actions: actionsOf(run, actions) })) : runs }));
    else
      io.out(
        line(
          runs.length === 0
            ? 'Nothing is on record.'
            : runs.flatMap(run => runLines(run, actionsOf(run, actions))).join('\n'),
        ),
      );
    return EXIT_CODES.done;
  } finally {
    await app.close();
  }
}

function sinceOf(text: string | undefined, now: Instant): Instant | undefined {
  if (text === undefined) return undefined;
  const duration = parseCalendarDuration(text);
  if (duration.ok) return subtract(now, duration.value, 'UTC');
  const length = parseTimeout(text);
  if (length.ok) return now.subtract({ milliseconds: length.value });
  try {
    return parseInstant(text);
  } catch {
    throw new MaintenanceError(
      'USAGE',
      `--since: '${text}' is neither a date, nor an instant, nor a duration such as '2 days'`,
    );
  }
}

const actionsOf = (run: RunRow, actions: readonly ActionRow[]): readonly ActionRow[] =>
  actions.filter(action => action.run_id === run.run_id && action.attempt === run.attempt);

function runLines(run: RunRow, actions: readonly ActionRow[]): readonly string[] {
  const who = run.requested_by ? ` for ${run.requested_by}` : '';
  const why = run.reason ? ` (${run.reason})` : '';
  const cost = run.duration_ms === null ? '' : ` in ${formatElapsed(run.duration_ms)}`;
  const counts = run.done === null ? '' : `, ${run.done} done, ${run.failed ?? 0} failed`;
  const error = run.error_message ? [`    ${run.error_code}: ${run.error_message}`] : [];
  const head = `${run.started_at}  ${run.job} ${run.target}: ${run.outcome ?? 'running'}${cost}${counts}; ${run.trigger}${who}${why}`;
  return [head, ...error, ...actions.flatMap(actionLines)].map(printable);
}

function actionLines(action: ActionRow): readonly string[] {
  const cost = action.duration_ms === null ? '' : ` in ${formatElapsed(action.duration_ms)}`;
  const size = action.bytes === null ? '' : `, ${formatBytes(action.bytes)}`;
  const error = action.error_message ? [`      ${action.error_code}: ${action.error_message}`] : [];
  return [
    `    ${action.kind} ${action.relation}: ${action.outcome}${cost}${size}; ${action.why}`,
    ...action.statements.map(statement => `      ${statement};`),
    ...error,
  ];
}
