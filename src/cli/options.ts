/** Options that several commands share, and what they are turned into. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { Temporal } from 'temporal-polyfill';
import type { Config } from '../config/config.ts';
import { type ConfigFlags, SETTINGS, settingNames, settingOf } from '../config/environment.ts';
import { loadConfig } from '../config/load.ts';
import { nearest } from '../config/suggest.ts';
import { MaintenanceError } from '../domain/errors.ts';
import { JOB_NAMES, type JobName } from '../domain/plan.ts';
import type { Policies } from '../domain/policy.ts';
import { formatRelationName, isSameRelation, parseRelationName } from '../domain/relation.ts';
import type { Instant } from '../domain/time.ts';
import type { RoundTask } from '../jobs/plan-round.ts';
import { jobs, targetsOf } from '../jobs/registry.ts';
import type { Io } from './io.ts';

export interface SharedOptions extends ConfigFlags {
  readonly json?: boolean;
}

export interface SelectionOptions {
  readonly job?: JobName;
  readonly target?: string;
}

/** A command with the options that every command has: one for each setting that is a flag, and `--json`. */
export function commandWith(
  name: string,
  summary: string,
  jsonDescription = 'print one JSON document instead of text',
): Command {
  const command = new Command(name).summary(summary).description(summary);
  for (const setting of settingNames) {
    const { flag, description, variable } = settingOf(setting);
    if (flag !== undefined) command.addOption(new Option(flag, `${plain(description)} (environment: ${variable})`));
  }
  return command.option('--json', jsonDescription);
}

const plain = (markdown: string): string => markdown.replaceAll('`', '');

export const withSelection = (command: Command): Command =>
  command
    .addOption(new Option('--job <job>', 'only this job').choices([...JOB_NAMES]))
    .option('--target <relation>', 'only this table or view, as the configuration spells it');

/** For `--count` and `--rows`. */
export const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const number = /^\d[\d_]*$/.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
    if (!Number.isSafeInteger(number) || number < least)
      throw new InvalidArgumentError(`Write a whole number, at least ${least}.`);
    return number;
  };

export const withInstant = (command: Command, description: string): Command =>
  command.addOption(new Option('--at <instant>', description).argParser(parseInstant));

/** A date, midnight in UTC, or an instant. Throws commander's error for arguments. */
export function parseInstant(text: string): Instant {
  try {
    return Temporal.Instant.from(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  } catch {
    throw new InvalidArgumentError(
      'Write a date (2027-01-01, midnight in UTC) or an instant with its offset (2027-01-01T06:00:00Z).',
    );
  }
}

export const flagsOf = (options: SharedOptions): ConfigFlags =>
  Object.fromEntries(Object.keys(SETTINGS).map(name => [name, Reflect.get(options, name)]));

export const configOf = (options: SharedOptions, { env, cwd, isTerminal }: Io, isService = false): Config =>
  loadConfig({ flags: flagsOf(options), env, cwd, isTerminal, isService });

/** The jobs and targets that were asked for; all of them unless said otherwise. */
export function tasksOf({ job: jobName, target: text }: SelectionOptions, policies: Policies): readonly RoundTask[] {
  const wanted = jobs.filter(({ name }) => jobName === undefined || name === jobName);
  const tasks = wanted.map(job => ({ job, targets: targetsOf(job, policies) }));
  if (text === undefined) return tasks;
  const target = parseRelationName(text);
  if ('problem' in target) throw new MaintenanceError('USAGE', `--target: ${target.problem}`);
  const found = tasks
    .map(({ job, targets }) => ({ job, targets: targets.filter(candidate => isSameRelation(candidate, target)) }))
    .filter(({ targets }) => targets.length > 0);
  if (found.length > 0) return found;
  const known = [...new Set(tasks.flatMap(({ targets }) => targets.map(formatRelationName)))];
  const near = nearest(formatRelationName(target), known);
  throw new MaintenanceError(
    'USAGE',
    `--target: ${formatRelationName(target)} is not configured${jobName === undefined ? '' : ` for ${jobName}`}`,
    { hint: near ? `Did you mean ${near}?` : `Configured: ${known.length === 0 ? 'nothing' : known.join(', ')}.` },
  );
}
