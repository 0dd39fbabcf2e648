/** `partkeeper trigger`: asks the queue for a run, and waits for its end where told to. */
import { userInfo } from 'node:os';
import { Argument, type Command } from 'commander';
import { type App, createApp } from '../app.ts';
import {
  asMaintenanceError,
  ERROR_CODES,
  type ErrorCode,
  EXIT_CODES,
  exitCodeOf,
  MaintenanceError,
} from '../domain/errors.ts';
import { JOB_NAMES, type JobName } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import { type ActionRow, type RunProgressRow, readActions, readProgress } from '../ledger/reading.ts';
import { ddl } from '../postgres/ddl.ts';
import { QUEUE } from '../queue/boss.ts';
import { readTriggered, TRIGGER_SQL, type Triggered, type TriggerRequest, triggerParameters } from '../queue/client.ts';
import { formatElapsed, printable } from '../report/figures.ts';
import { whereInstalled } from './installed.ts';
import { type Io, json, line } from './io.ts';
import { commandWith, configOf, type SharedOptions, tasksOf } from './options.ts';

interface TriggerOptions extends SharedOptions {
  readonly wait?: boolean;
  readonly reason?: string;
}

export const triggerCommand = (): Command =>
  commandWith('trigger', 'ask the running service for a job now, on one target or on all of its targets')
    .addArgument(new Argument('<job>', 'the job').choices([...JOB_NAMES]))
    .argument('[target]', 'the table or view, as the configuration spells it')
    .option('--wait', "show progress, and end with the run's outcome as exit code")
    .option('--reason <text>', 'goes on record with the run');

export async function runTrigger(options: TriggerOptions, io: Io, job: JobName, target?: string): Promise<number> {
  const app = createApp(configOf(options, io), io.subscribers);
  try {
    const [task] = tasksOf({ job, ...(target !== undefined && { target }) }, app.policies);
    const name = target === undefined ? undefined : task?.targets.map(formatRelationName)[0];
    const triggered = await ask(app, {
      job,
      target: name,
      reason: options.reason,
      requestedBy: requesterOf(io.env),
    });
    if (!options.json)
      for (const each of triggered) io.out(line(`${each.job} ${each.target}: ${each.status}, run ${each.runId}`));
    if (!options.wait) {
      if (options.json) io.out(json({ triggered }));
      return EXIT_CODES.done;
    }
    const ends = [];
    for (const each of triggered) ends.push(await waitFor(app, each, options, io));
    if (options.json)
      io.out(json({ triggered, runs: ends.map(({ progress, state, output }) => ({ state, output, run: progress })) }));
    return Math.max(...ends.map(({ exitCode }) => exitCode));
  } finally {
    await app.close();
  }
}

async function ask({ database }: App, request: TriggerRequest): Promise<readonly Triggered[]> {
  const asked = database.use(async session =>
    readTriggered(await session.query(TRIGGER_SQL, triggerParameters(request), 'ask the queue for a run')),
  );
  return whereInstalled(asked).catch(thrown => {
    const error = asMaintenanceError(thrown);
    const { code, message, sqlstate, hint } = error;
    if (code === 'PERMISSION_DENIED')
      throw new MaintenanceError(code, message, { cause: error, sqlstate, hint: WHAT_IT_TAKES });
    // Not configured as far as the service knows, or too long.
    if (sqlstate !== '22023' && sqlstate !== '22001') throw error;
    throw new MaintenanceError('USAGE', message, { cause: error, sqlstate, hint });
  });
}

const WHAT_IT_TAKES =
  'The role has to have usage on schema partkeeper and execute on partkeeper.trigger(text, text, text, text): ops/roles.sql makes one.';

/** Who asks, for the record: the login name, or what the environment says where there is none. */
export function requesterOf(env: Io['env']): string {
  try {
    return userInfo().username;
  } catch {
    return env.USER ?? 'unknown';
  }
}

interface End {
  readonly exitCode: number;
  readonly state: string;
  readonly output: unknown;
  readonly progress: RunProgressRow | undefined;
}

interface JobRow {
  readonly state: string;
  readonly output: {
    readonly outcome?: string;
    readonly because?: string;
    readonly code?: ErrorCode;
    readonly message?: string;
    readonly errors?: number;
  } | null;
}

const LOOK_EVERY_MS = 500;
const OVER = ['completed', 'failed', 'cancelled'];

async function waitFor(
  { database, runner, config }: App,
  { runId, job, target }: Triggered,
  options: TriggerOptions,
  io: Io,
): Promise<End> {
  const shown = new Set<string>();
  const table = ddl`${{ schema: config.queue.schema, name: 'job' }}`.text;
  /** Whatever it was stopped at, the person wants to know what becomes of the run. */
  const endWaiting = (cause: unknown): never => {
    if (!io.stopping.aborted) throw asMaintenanceError(cause);
    throw new MaintenanceError('CANCELLED', `stopped waiting; run ${runId} goes on without us`, { cause });
  };
  for (;;) {
    const looking = database.use(
      async session => ({
        row: (
          await session.query<JobRow>(
            `select state::text, output from ${table} where name = $1 and id = $2`,
            [QUEUE, runId],
            'look at the queue',
          )
        )[0],
        progress: await readProgress(session, runId),
        actions: await readActions(session, [runId]),
      }),
      io.stopping,
    );
    const { row, progress, actions } = await looking.catch(endWaiting);
    if (!options.json) {
      if (progress) tell(`attempt ${progress.attempt} on ${progress.replica}`, shown, io);
      for (const action of actions) tell(actionText(action), shown, io);
      if (row?.state === 'retry' && progress?.error_message)
        tell(`attempt ${progress.attempt} failed, it is tried again: ${progress.error_message}`, shown, io);
    }
    if (!row) throw new MaintenanceError('UNEXPECTED', `the queue no longer knows run ${runId}`);
    if (OVER.includes(row.state)) {
      const end = { exitCode: exitCodeOfEnd(row, progress), state: row.state, output: row.output, progress };
      if (!options.json) io.out(line(`${job} ${target}: ${describeEnd(row, progress)}`));
      return end;
    }
    await runner.sleep(LOOK_EVERY_MS, io.stopping).catch(endWaiting);
  }
}

/** Each line once. */
function tell(text: string, shown: Set<string>, io: Io): void {
  if (shown.has(text)) return;
  shown.add(text);
  io.out(line(printable(`  ${text}`)));
}

function actionText({ kind, relation, outcome, duration_ms, why, error_message }: ActionRow): string {
  const cost = duration_ms === null ? '' : ` in ${formatElapsed(duration_ms)}`;
  return `${kind} ${relation}: ${outcome}${cost}, because ${why}${error_message === null ? '' : `; ${error_message}`}`;
}

function exitCodeOfEnd({ state, output }: JobRow, progress: RunProgressRow | undefined): number {
  if (output?.outcome === 'rejected') return EXIT_CODES.usage;
  if (output?.outcome === 'paused') return EXIT_CODES.unexpected;
  if (state === 'completed') return (output?.errors ?? 0) > 0 ? EXIT_CODES.findings : EXIT_CODES.done;
  const code = output?.code ?? progress?.error_code;
  return code && code in ERROR_CODES ? exitCodeOf(new MaintenanceError(code as ErrorCode, '')) : EXIT_CODES.unexpected;
}

function describeEnd({ state, output }: JobRow, progress: RunProgressRow | undefined): string {
  if (output?.outcome === 'rejected') return printable(`rejected: ${output.because ?? ''}`);
  if (output?.outcome === 'paused') return 'left out: its schedule was paused before it began';
  const message = output?.message ?? progress?.error_message;
  const error = message ? printable(`: ${message}`) : '';
  if (!progress) return `${output?.outcome ?? state}${error}`;
  return `${progress.outcome ?? state}, ${progress.done ?? 0} done, ${progress.failed ?? 0} failed${error}`;
}
