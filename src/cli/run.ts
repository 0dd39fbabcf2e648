/** `partkeeper run`: the daemon. */
import type { Command } from 'commander';
import { createApp } from '../app.ts';
import type { Config } from '../config/config.ts';
import { runIntervalOf } from '../config/schedules.ts';
import { type DaemonOptions, runDaemon } from '../daemon.ts';
import { EXIT_CODES } from '../domain/errors.ts';
import { keepLive } from '../reload.ts';
import { logEvents, logLongWork } from '../report/log.ts';
import { createLogger } from '../report/logger.ts';
import { recordEvents } from '../report/metrics.ts';
import { VERSION } from '../version.ts';
import { exitCodeOfRuns } from './exit-code.ts';
import type { Io } from './io.ts';
import { commandWith, configOf, type SharedOptions } from './options.ts';
import { every } from './progress.ts';

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

export const runRun = (options: ServiceOptions, io: Io): Promise<number> => serveConfigured(options, io);

/** The service on the configuration that flags, environment and file give; SIGHUP reads them anew. @returns the exit code */
export async function serveConfigured(options: ServiceOptions, io: Io, more: More = {}): Promise<number> {
  if (options.once) return serve(configOf(options, io), options, io, more);
  // Before the file is read: whoever changes it and says so from here on is heard.
  const hangUps = listenForHangUps(io);
  const load = (): Config => configOf(options, io, true);
  return serve(load(), options, io, { ...more, load, onReloadable: hangUps.answerWith });
}

/** One that comes before there is anything to reload is answered as soon as there is. */
function listenForHangUps({ onHangUp }: Io) {
  let isAsked = false;
  let answer = (): void => {
    isAsked = true;
  };
  onHangUp(() => answer());
  return {
    answerWith(reload: () => void): void {
      answer = reload;
      if (isAsked) reload();
    },
  };
}

interface More extends Pick<DaemonOptions, 'onFirstRound' | 'finishMs' | 'onReloadable'> {
  /** Reads the configuration anew. */
  readonly load?: () => Config;
  readonly isDemo?: boolean;
}

/** Runs the service on a configuration. @returns the exit code */
export async function serve(
  config: Config,
  { once = false, json = false }: ServiceOptions,
  io: Io,
  { load = () => config, isDemo, ...more }: More = {},
): Promise<number> {
  const format = json ? 'json' : config.log.format;
  let intervalOf = runIntervalOf(config);
  const metrics = recordEvents({
    tables: config.tables.map(({ policy }) => policy),
    views: config.views.map(({ policy }) => policy),
    intervalOf: (job, target) => intervalOf(job, target),
    version: VERSION,
    revision: io.env.PARTKEEPER_REVISION,
  });
  const logger = createLogger({ ...config.log, format, onLine: metrics.countLine });
  const subscribers = [
    logEvents(logger, { isDemo }),
    ...(format === 'pretty' ? [logLongWork(logger, every)] : []),
    metrics.emit,
    ...io.subscribers,
  ];
  const live = keepLive({
    config,
    load,
    create: next => createApp(next, subscribers),
    onLoaded(next) {
      logger.level = next.log.level;
      intervalOf = runIntervalOf(next);
    },
  });
  const reports = await runDaemon({ live, metrics, stopping: io.stopping, once, ...more });
  return once ? exitCodeOfRuns(reports, io.stopping) : EXIT_CODES.done;
}
