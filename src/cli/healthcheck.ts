/** `partkeeper healthcheck`: for whatever decides by an exit code, such as a container engine. */
import { type Command, Option } from 'commander';
import { readListen } from '../config/listen.ts';
import { EXIT_CODES, MaintenanceError } from '../domain/errors.ts';
import { askProbe, urlOf } from '../http/ask.ts';
import { type Io, json, line } from './io.ts';
import { commandWith, flagsOf, type SharedOptions, wholeNumber } from './options.ts';

interface HealthcheckOptions extends SharedOptions {
  readonly ready?: boolean;
  readonly timeout: number;
}

/** Of a process that works, which answers from memory. */
const TIMEOUT_S = 3;

export const healthcheckCommand = (): Command =>
  commandWith('healthcheck', 'ask the service of this machine whether it is alive; exits with 1 when it is not')
    .option('--ready', 'ask whether it may be given work (/readyz), which it may not while the database is away')
    .addOption(
      new Option('--timeout <seconds>', 'how long an answer may take').default(TIMEOUT_S).argParser(wholeNumber(1)),
    );

/** Asks nothing of the database, and reads no more of the configuration than where the service listens. */
export async function runHealthcheck(options: HealthcheckOptions, io: Io): Promise<number> {
  const listen = readListen({ flags: flagsOf(options), env: io.env, cwd: io.cwd });
  if (!listen) throw new MaintenanceError('CONFIG_INVALID', 'http is off: the service can be asked nothing');
  if (listen.port === 0)
    throw new MaintenanceError(
      'CONFIG_INVALID',
      'http.listen lets the system choose a port, and only the service knows it',
    );
  const question = { ...listen, path: options.ready ? '/readyz' : '/livez' } as const;
  const address = urlOf(question);
  const timeout = AbortSignal.timeout(options.timeout * 1000);
  try {
    const { code, text } = await askProbe({ ...question, signal: AbortSignal.any([timeout, io.stopping]) });
    return report(code === 200, address, text.trimEnd(), options, io);
  } catch (error) {
    const why = timeout.aborted ? `no answer within ${options.timeout} s` : reasonOf(error);
    return report(false, address, why, options, io);
  }
}

const report = (healthy: boolean, address: string, said: string, { json: asJson }: SharedOptions, io: Io): number => {
  io.out(asJson ? json({ healthy, address, said }) : line(healthy ? said : `${address}: ${said}`));
  return healthy ? EXIT_CODES.done : EXIT_CODES.unexpected;
};

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'that name has no address',
  ABORT_ERR: 'stopped on request',
};

const reasonOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error));
};
