/** `partkeeper run`: the daemon. */
import type { Command } from 'commander';
import { createApp } from '../app.ts';
import type { Config } from '../config/config.ts';
import { runDaemon } from '../daemon.ts';
import { EXIT_CODES } from '../domain/errors.ts';
import { logEvents } from '../report/log.ts';
import { createLogger } from '../report/logger.ts';
import { recordEvents } from '../report/metrics.ts';
import type { RunReport } from '../run-job.ts';
import { VERSION } from '../version.ts';
import { exitCodeOfRuns } from './exit-code.ts';
import type { Io } from './io.ts';
import { commandWith, configOf, type SharedOptions } from './options.ts';

export const runCommand = (): Command =>
  commandWith('run', 'run as a service: keep everything in order on its schedules, until stopped').option(
    '--once',
    'stop after the first round of every job',
  );

export const runRun = (options: SharedOptions & { readonly once?: boolean }, io: Io): Promise<number> =>
  serve(configOf(options, io), options.once ?? false, io);

/** Runs the service on a configuration. @returns the exit code */
export async function serve(
  config: Config,
  once: boolean,
  io: Io,
  onFirstRound?: (reports: readonly RunReport[], address: string | undefined) => void,
): Promise<number> {
  const logger = createLogger(config.log);
  const policies = {
    tables: config.tables.map(({ policy }) => policy),
    views: config.views.map(({ policy }) => policy),
  };
  const metrics = recordEvents({ ...policies, version: VERSION, revision: io.env.PARTKEEPER_REVISION });
  const app = createApp(config, [logEvents(logger), metrics.emit, ...io.subscribers]);
  const reports = await runDaemon({ app, metrics, stopping: io.stopping, once, onFirstRound });
  return once ? exitCodeOfRuns(reports) : EXIT_CODES.done;
}
