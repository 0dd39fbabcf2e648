/** `partkeeper config`: look at the configuration without touching a database. */
import type { Command } from 'commander';
import { parse } from 'yaml';
import { configJsonSchema } from '../config/json-schema.ts';
import { printConfig } from '../config/print.ts';
import { schedulesOf } from '../config/schedules.ts';
import { EXIT_CODES } from '../domain/errors.ts';
import { plural } from '../report/figures.ts';
import { type Io, json, line } from './io.ts';
import { commandWith, configOf, type SharedOptions } from './options.ts';

export const configValidateCommand = (): Command =>
  commandWith('validate', 'say whether the configuration is valid, with everything that is wrong');
export const configPrintCommand = (): Command =>
  commandWith('print', 'print the configuration in force, defaults included, secrets left out');
export const configSchemaCommand = (): Command =>
  commandWith('schema', 'print the JSON Schema of the configuration file');

export async function runConfigValidate(options: SharedOptions, io: Io): Promise<number> {
  const config = configOf(options, io, true);
  const { origin, tables, views } = config;
  const schedules = schedulesOf(config).length;
  if (options.json) io.out(json({ valid: true, origin, tables: tables.length, views: views.length, schedules }));
  else
    io.out(
      line(
        `${origin} is valid: ${plural(tables.length, 'table')}, ${plural(views.length, 'view')}, ${plural(schedules, 'schedule')}.`,
      ),
    );
  return EXIT_CODES.done;
}

export async function runConfigPrint(options: SharedOptions, io: Io): Promise<number> {
  const yaml = printConfig(configOf(options, io));
  io.out(options.json ? json(parse(yaml)) : line(yaml));
  return EXIT_CODES.done;
}

export async function runConfigSchema(_options: SharedOptions, io: Io): Promise<number> {
  io.out(json(configJsonSchema()));
  return EXIT_CODES.done;
}
