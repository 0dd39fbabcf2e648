/** `partkeeper run`: the daemon. */
import type { Command } from 'commander';
import { createApp } from '../app.ts';
import type { Config } from '../config/config.ts';
import { runIntervalOf } from '../config/schedules.ts';
import { type DaemonOptions, runDaemon } from '../daemon.ts';
import { EXIT_CODES } from '../domain/errors.ts';
import { logEvents } from '../report/log.ts';
import { createLogger } from '../report/logger.ts';
import { recordEvents } from '../report/metrics.ts';
import { VERSION } from '../version.ts';
import { exitCodeOfRuns } from './exit-code.ts';
import type { Io } from './io.ts';
import { commandWith, configOf, type SharedOptions } from './options.ts';

export const runCommand = (): Command =>
  commandWith('run', 'run as a service: keep everything in order on its schedules, until stopped', JSON_LINES).option(
    '--once',
    'stop after the first round of every job',
  );

/** What `--json` means for a service. */
export const JSON_LINES = 'the same as --log-format json';

interface ServiceOptions extends SharedOptions {
  readonly once?: boolean;
}

export const runRun = (options: ServiceOptions, io: Io): Promise<number> => serve(configOf(options, io), options, io);

/** Runs the service on a configuration. @returns the exit code */
export async function serve(
  config: Config,
  { once = false, json = false }: ServiceOptions,
  io: Io,
  more: Pick<DaemonOptions, 'onFirstRound' | 'finishMs'> = {},
): Promise<number> {
  const logger = createLogger({ ...config.log, ...(json && { format: 'json' }) });
  const policies = {
    tables: config.tables.map(({ policy }) => policy),
    views: config.views.map(({ policy }) => policy),
  };
  const metrics = recordEvents({
    ...policies,
    intervalOf: runIntervalOf(config),
    version: VERSION,
    revision: io.env.PARTKEEPER_REVISION,
  });
  const app = createApp(config, [logEvents(logger), metrics.emit, ...io.subscribers]);
  const reports = await runDaemon({ app, metrics, stopping: io.stopping, once, ...more });
  return once ? exitCodeOfRuns(reports, io.stopping) : EXIT_CODES.done;
}
