/** `partkeeper pause` and `resume`: let schedules rest. What is triggered by hand runs all the same. */
import { Argument, type Command } from 'commander';
import { createApp } from '../app.ts';
import { EXIT_CODES } from '../domain/errors.ts';
import { JOB_NAMES, type JobName } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import { readPauses } from '../ledger/reading.ts';
import { statements } from '../ledger/statements.ts';
import { printable } from '../report/figures.ts';
import { redact } from '../report/redact.ts';
import { whereInstalled } from './installed.ts';
import { type Io, json, line } from './io.ts';
import { commandWith, configOf, type SharedOptions, tasksOf } from './options.ts';
import { requesterOf } from './trigger.ts';

interface PauseOptions extends SharedOptions {
  readonly reason?: string;
}

const withArguments = (command: Command): Command =>
  command
    .addArgument(new Argument('[job]', 'only this job').choices([...JOB_NAMES]))
    .argument('[target]', 'only this table or view, as the configuration spells it');

export const pauseCommand = (): Command =>
  withArguments(commandWith('pause', 'let scheduled work rest until resumed, also across restarts')).option(
    '--reason <text>',
    'goes on record with the pause',
  );

export const resumeCommand = (): Command =>
  withArguments(commandWith('resume', 'end pauses: all of them, or those of a job or target'));

export const runPause = (options: PauseOptions, io: Io, job?: JobName, target?: string): Promise<number> =>
  change(options, io, job, target, async (session, key) => {
    await session.query(
      statements.pause,
      [...key, requesterOf(io.env), options.reason === undefined ? null : redact(options.reason)],
      'pause',
    );
  });

export const runResume = (options: PauseOptions, io: Io, job?: JobName, target?: string): Promise<number> =>
  change(options, io, job, target, async (session, key) => {
    await session.query(statements.resume, key, 'resume');
  });

type Change = (session: Parameters<typeof readPauses>[0], key: readonly [job: string, target: string]) => Promise<void>;

async function change(
  options: PauseOptions,
  io: Io,
  job: JobName | undefined,
  target: string | undefined,
  work: Change,
): Promise<number> {
  const app = createApp(configOf(options, io), io.subscribers);
  try {
    const [task] = tasksOf({ ...(job && { job }), ...(target !== undefined && { target }) }, app.policies);
    const name = target === undefined ? '' : (task?.targets.map(formatRelationName)[0] ?? '');
    const pauses = await whereInstalled(
      app.database.use(async session => {
        await work(session, [job ?? '', name]);
        return readPauses(session);
      }),
    );
    if (options.json) io.out(json({ pauses }));
    else io.out(line(pauses.length === 0 ? 'Nothing is paused.' : pauses.map(pauseText).join('\n')));
    return EXIT_CODES.done;
  } finally {
    await app.close();
  }
}

/** `paused: refresh on every target, since … by …` */
export const pauseText = (pause: Awaited<ReturnType<typeof readPauses>>[number]): string => {
  const what = `${pause.job || 'every job'} on ${pause.target || 'every target'}`;
  return printable(
    `paused: ${what}, since ${pause.paused_at} by ${pause.paused_by}${pause.reason ? ` (${pause.reason})` : ''}`,
  );
};
