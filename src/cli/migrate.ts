/** `partkeeper migrate`: installs partkeeper's own schema, and the bundled one where the configuration maintains it. */
import { Argument, type Command, Option } from 'commander';
import { Client, types } from 'pg';
import type { Config } from '../config/config.ts';
import { EXIT_CODES } from '../domain/errors.ts';
import { formatRelationName } from '../domain/relation.ts';
import { cancelBackend, clientConfig } from '../postgres/database.ts';
import { classify } from '../postgres/sqlstate.ts';
import { grantTo } from '../queue/grants.ts';
import { installQueue } from '../queue/install.ts';
import { removeQueue } from '../queue/remove.ts';
import { BUNDLED_TABLE } from '../schema/checklist.ts';
import { type MigrationSet, migrateDown, migrateUp, migrationStatus } from '../schema/migrate.ts';
import { type Io, json, line } from './io.ts';
import { commandWith, configOf, type SharedOptions, wholeNumber } from './options.ts';

interface MigrateOptions extends SharedOptions {
  readonly bundled?: boolean;
  readonly count?: number;
  readonly all?: boolean;
  readonly grantTo?: string;
}

const bundledOption = (command: Command): Command =>
  command
    .addOption(new Option('--bundled', 'include the bundled schema even if the configuration does not maintain it'))
    .addOption(new Option('--no-bundled', 'leave the bundled schema out').default(undefined));

/** Without another word it is `migrate up`. */
export const migrateCommand = (): Command =>
  bundledOption(
    commandWith('migrate', "install partkeeper's own schema, and the bundled one where the configuration maintains it"),
  )
    // What is no subcommand comes here: the choices are for the error message.
    .addArgument(new Argument('[command]').choices(['up', 'down', 'status']))
    .usage('[options] [command]')
    // Its options before the word of a subcommand, theirs behind it.
    .enablePositionalOptions();
export const migrateUpCommand = (): Command =>
  bundledOption(commandWith('up', 'apply what is pending, and prepare the queue')).option(
    '--grant-to <role>',
    'then grant this role what the service needs there, and nothing more',
  );
export const migrateDownCommand = (): Command =>
  bundledOption(commandWith('down', 'take back the newest migration, with the data it holds'))
    .addOption(new Option('--count <n>', 'take back this many').default(1).argParser(wholeNumber(1)))
    .option('--all', 'take back all of them, and the queue');
export const migrateStatusCommand = (): Command =>
  bundledOption(commandWith('status', 'show what is applied and what is pending'));

export const runMigrateUp = (options: MigrateOptions, io: Io): Promise<number> =>
  withClient(options, io, async (client, sets, config) => {
    const log = (text: string): void => void (options.json || io.out(line(text)));
    const names = await migrateUp(client, sets, log);
    // So that the service itself needs no right to create schemas.
    await installQueue(config, log);
    const applied = names.length === 0 ? 'Nothing is pending.' : `${names.length} applied.`;
    const { grantTo: role } = options;
    if (role === undefined) return report(options, io, { applied: names }, applied);
    const notes = await grantTo(client, role, config.queue.schema);
    const text = [applied, `granted ${role} what the service needs`, ...notes.map(note => `note: ${note}`)];
    return report(options, io, { applied: names, grantedTo: role, notes }, text.join('\n'));
  });

export const runMigrateDown = (options: MigrateOptions, io: Io): Promise<number> =>
  withClient(options, io, async (client, sets, config) => {
    const names = await migrateDown(client, sets, {
      count: options.all ? Number.POSITIVE_INFINITY : (options.count ?? 1),
    });
    const queue = options.all ? await removeQueue(client, config.queue.schema) : [];
    const lines = [...names.map(name => `took back ${name}`), ...queue];
    report(
      options,
      io,
      { takenBack: names, ...(options.all && { queue }) },
      lines.length === 0 ? 'Nothing was applied.' : lines.join('\n'),
    );
  });

export const runMigrateStatus = (options: MigrateOptions, io: Io): Promise<number> =>
  withClient(options, io, async (client, sets) => {
    const status = await migrationStatus(client, sets);
    const text = status.map(
      ({ set, name, appliedAt }) =>
        `${appliedAt ? `applied ${appliedAt.toISOString()}` : 'pending'.padEnd(32)}  ${set}/${name}`,
    );
    report(options, io, { migrations: status }, text.join('\n'));
  });

const report = (options: MigrateOptions, io: Io, document: object, text: string): void =>
  io.out(options.json ? json(document) : line(text));

async function withClient(
  options: MigrateOptions,
  io: Io,
  work: (client: Client, sets: readonly MigrationSet[], config: Config) => Promise<void>,
): Promise<number> {
  const config = configOf(options, io);
  const settings = clientConfig(config.directDatabase ?? config.database);
  const client = new Client({ ...settings, types });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    throw classify(error, `connect to ${client.host}:${client.port}/${client.database}`);
  }
  // A migration waits for others without end; each set is one transaction, so that what is cancelled has not happened.
  const cancel = () => void cancelBackend(settings, client);
  io.stopping.addEventListener('abort', cancel, { once: true });
  try {
    await work(client, setsFor(config, options), config);
    return EXIT_CODES.done;
  } finally {
    io.stopping.removeEventListener('abort', cancel);
    await client.end();
  }
}

/** Somebody who maintains tables of their own does not want ours among them. */
function setsFor({ tables }: Config, { bundled }: MigrateOptions): readonly MigrationSet[] {
  const maintainsBundled = tables.some(({ policy }) => formatRelationName(policy.relation) === BUNDLED_TABLE);
  return (bundled ?? maintainsBundled) ? ['bookkeeping', 'bundled'] : ['bookkeeping'];
}
