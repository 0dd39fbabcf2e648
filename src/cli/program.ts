/** The command line: the one table of commands, from which help and documentation derive. */
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/problems.ts';
import { asMaintenanceError, EXIT_CODES, exitCodeOf, exitCodes, type MaintenanceError } from '../domain/errors.ts';
import { redact } from '../report/redact.ts';
import { VERSION } from '../version.ts';
import { adoptCommand, runAdopt } from './adopt.ts';
import { applyCommand, runApply } from './apply.ts';
import { checkCommand, runCheck } from './check.ts';
import {
  configPrintCommand,
  configSchemaCommand,
  configValidateCommand,
  runConfigPrint,
  runConfigSchema,
  runConfigValidate,
} from './config.ts';
import { demoCommand, runDemo } from './demo.ts';
import { healthcheckCommand, runHealthcheck } from './healthcheck.ts';
import { historyCommand, runHistory } from './history.ts';
import { type Io, json, line } from './io.ts';
import {
  migrateCommand,
  migrateDownCommand,
  migrateStatusCommand,
  migrateUpCommand,
  runMigrateDown,
  runMigrateStatus,
  runMigrateUp,
} from './migrate.ts';
import { pauseCommand, resumeCommand, runPause, runResume } from './pause.ts';
import { planCommand, runPlan } from './plan.ts';
import { releaseCommand, restoreCommand, runRelease, runRestore } from './restore.ts';
import { runCommand, runRun } from './run.ts';
import { runStatus, statusCommand } from './status.ts';
import { runTrigger, triggerCommand } from './trigger.ts';

/** Runs a command line. @returns the exit code, see `EXIT_CODES` */
export async function runProgram(args: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT_CODES.done;
  const wire: Wire = (command, run) =>
    command.action(async (...given: unknown[]) => {
      // commander hands over the arguments, then the options and the command.
      const words = given.slice(0, -2).map(word => (typeof word === 'string' ? word : undefined));
      exitCode = await (run as Called)({ ...command.parent?.opts(), ...command.opts() }, io, ...words);
    });
  const program = buildProgram(wire);
  quieten(program, io);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.usage;
    const error = asMaintenanceError(thrown);
    report(error, args, io);
    return exitCodeOf(error);
  }
}

/** `run` gets the options and, as far as the command has arguments, those. */
type Wire = (command: Command, run: (options: never, io: Io, ...words: never[]) => Promise<number>) => Command;

/** As commander calls it; what the options and arguments are, each command has declared. */
type Called = (options: object, io: Io, ...words: (string | undefined)[]) => Promise<number>;

/** Every command, each given to `wire` with what it runs. */
export function buildProgram(wire: Wire): Command {
  const migrate = wire(migrateCommand(), runMigrateUp)
    .addCommand(wire(migrateUpCommand(), runMigrateUp))
    .addCommand(wire(migrateDownCommand(), runMigrateDown))
    .addCommand(wire(migrateStatusCommand(), runMigrateStatus));
  const config = new Command('config')
    .summary('validate or print the configuration')
    .description('look at the configuration without touching a database')
    .addCommand(wire(configValidateCommand(), runConfigValidate))
    .addCommand(wire(configPrintCommand(), runConfigPrint))
    .addCommand(wire(configSchemaCommand(), runConfigSchema));
  return new Command('partkeeper')
    .description("Keeps a PostgreSQL database's time partitions and materialized views in order.")
    .version(VERSION)
    .addHelpText('after', EXIT_HELP)
    .addCommand(wire(runCommand(), runRun))
    .addCommand(wire(planCommand(), runPlan))
    .addCommand(wire(applyCommand(), runApply))
    .addCommand(wire(checkCommand(), runCheck))
    .addCommand(wire(triggerCommand(), runTrigger))
    .addCommand(wire(pauseCommand(), runPause))
    .addCommand(wire(resumeCommand(), runResume))
    .addCommand(wire(restoreCommand(), runRestore))
    .addCommand(wire(releaseCommand(), runRelease))
    .addCommand(wire(adoptCommand(), runAdopt))
    .addCommand(wire(statusCommand(), runStatus))
    .addCommand(wire(historyCommand(), runHistory))
    .addCommand(wire(healthcheckCommand(), runHealthcheck))
    .addCommand(migrate)
    .addCommand(config)
    .addCommand(wire(demoCommand(), runDemo));
}

const EXIT_HELP = `\nExit codes:\n${exitCodes()
  .map(({ code, meaning }) => `  ${String(code).padStart(2)}  ${meaning}`)
  .join('\n')}`;

/** commander writes to the process and ends it unless told otherwise, command by command. */
function quieten(command: Command, io: Io): void {
  command.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.error });
  command.showHelpAfterError('(add --help for what is possible)');
  for (const inner of command.commands) quieten(inner, io);
}

function report(error: MaintenanceError, args: readonly string[], io: Io): void {
  const { code, message, hint, sqlstate } = error;
  const problems = error instanceof ConfigError ? error.problems : undefined;
  if (args.includes('--json')) io.out(json({ error: { code, message: redact(message), hint, sqlstate, problems } }));
  else io.error(line(redact(`partkeeper: ${message}${hint === undefined ? '' : `\n  ${hint}`}`)));
}
